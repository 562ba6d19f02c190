// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The log of the daemon's roles: one line each on standard error, "<N>" priority in front where systemd reads
 * it ($JOURNAL_STREAM is set). Only the edges log (roles, commands); library code returns errors. Control
 * characters in the text are shown escaped, so a hostile name cannot forge a line. */

enum weir_log_level { WEIR_LOG_ERROR = 3, WEIR_LOG_WARNING = 4, WEIR_LOG_INFO = 6, WEIR_LOG_DEBUG = 7 };

void weir_log_init(const char *role); /* "keeper", "engine", "gate"; borrowed */
void weir_log_set_level(enum weir_log_level most);

/* From here on processes that are forked have one level in common with this one. Without memory each keeps its own. */
void weir_log_share_level(void);

/* "error", "warning", "info" or "debug"; -ENOENT for another word. */
int weir_log_level_find(const char *name, enum weir_log_level *ret);

void weir_log(enum weir_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define weir_error(...) weir_log(WEIR_LOG_ERROR, __VA_ARGS__)
#define weir_warning(...) weir_log(WEIR_LOG_WARNING, __VA_ARGS__)
#define weir_info(...) weir_log(WEIR_LOG_INFO, __VA_ARGS__)
#define weir_debug(...) weir_log(WEIR_LOG_DEBUG, __VA_ARGS__)
