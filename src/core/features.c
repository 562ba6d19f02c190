// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/feature.h"

/* The one visible list. A feature's row here, its folder and one word in features/meson.build are all there is. */

extern const struct weir_feature containers_feature;
extern const struct weir_feature dns_feature;
extern const struct weir_feature drops_feature;
extern const struct weir_feature traffic_feature;

const struct weir_feature *const weir_features[] = {
	&traffic_feature,
	&drops_feature,
	&dns_feature,
	&containers_feature,
	NULL,
};
