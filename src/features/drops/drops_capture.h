// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/capture.h"

/* Each packet that the kernel frees as lost, whole heads of them, for `weir capture`. */
extern const struct weir_capture_source drops_capture_source;
