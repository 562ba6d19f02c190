// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "core/filter.h"
#include "core/history.h"
#include "core/query.h"
#include "core/query_words.h"
#include "core/table_fixture.h"

/* The rows that the filters below choose from: each is known by its pid. */
static struct weir_snapshot *snapshot;
static struct weir_rows rows;

static void add_address(struct weir_builder *b, const char *text)
{
	struct weir_addr a;

	if (!text)
		return;
	assert_int_equal(weir_addr_parse(text, &a), 0);
	weir_builder_address(b, FIXTURE_PEER, &a);
}

static int make_rows(void **state)
{
	static const struct {
		const char *comm, *exe, *peer, *note;
		uint64_t local_port, peer_port, bytes, srtt_us, seen;
		int64_t delta;
		bool live;
	} list[] = {
		{ "nginx", "/usr/sbin/nginx", "10.1.2.3", "", 443, 50000, 1500000, 1500, 1769860799123456789ull, -5, true },
		{ "sshd", "/usr/sbin/sshd", "192.168.1.9", "a b", 22, 40000, 999, 20000, 1769860700000000000ull, 0, false },
		{ "curl", NULL, "2001:db8::7", NULL, 51000, 443, 1000000, 300, 1700000000000000000ull, 7, true },
		{ "Web Content", "/opt/ff/fire fox", "::ffff:10.9.9.9", "x,y", 51001, 80, 0, 0, 1, INT64_MIN, true },
		{ "w*ld\\?", NULL, NULL, "\"q\"", 1, 2, UINT64_MAX, 1, 2000, INT64_MAX, false },
		{ "\u6d4b\u8bd5", NULL, NULL, NULL, 0, 0, 3, 0, 0, 0, false },
	};
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_builder *b = weir_builder_new();
	int r;

	(void)state;
	weir_builder_table(b, &fixture_table);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		weir_builder_row(b, 0, 0);
		weir_builder_uint(b, FIXTURE_PID, i + 1);
		weir_builder_text(b, FIXTURE_COMM, list[i].comm);
		weir_builder_text(b, FIXTURE_EXE, list[i].exe);
		add_address(b, list[i].peer);
		weir_builder_text(b, FIXTURE_NOTE, list[i].note);
		weir_builder_uint(b, FIXTURE_LOCAL_PORT, list[i].local_port);
		weir_builder_uint(b, FIXTURE_PEER_PORT, list[i].peer_port);
		weir_builder_uint(b, FIXTURE_BYTES, list[i].bytes);
		weir_builder_uint(b, FIXTURE_SRTT_US, list[i].srtt_us);
		weir_builder_time(b, FIXTURE_SEEN, list[i].seen);
		weir_builder_int(b, FIXTURE_DELTA, list[i].delta);
		weir_builder_bool(b, FIXTURE_LIVE, list[i].live);
		if (i == 0)
			weir_builder_uint(b, FIXTURE_TCP_TX, 5);
	}
	r = weir_builder_finish(b, &head, &snapshot);
	weir_builder_free(b);
	return r < 0 ? r : weir_snapshot_rows(snapshot, &fixture_table, &rows);
}

static int free_rows(void **state)
{
	(void)state;
	snapshot = weir_snapshot_unref(snapshot);
	return 0;
}

/* The pids of the rows that match, as text: "1 3". */
static const char *chosen(const struct weir_filter *f)
{
	static struct weir_buf b;

	weir_buf_reset(&b);
	weir_buf_add(&b, "", 0);
	for (size_t i = 0; i < rows.n; i++)
		if (weir_filter_match(f, &rows, i))
			weir_buf_printf(&b, b.len ? " %zu" : "%zu", i + 1);
	return b.data;
}

static void which_rows_a_filter_chooses(void **state)
{
	static const struct {
		const char *what, *filter, *pids;
	} table[] = {
		{ "nothing asked: all", "", "1 2 3 4 5 6" },
		{ "white space is nothing", " \t\n ", "1 2 3 4 5 6" },
		{ "a text matches exactly", "comm:nginx", "1" },
		{ "not its beginning", "comm:ngin", "" },
		{ "upper case is another text", "comm:Nginx", "" },
		{ "a filter word serves several fields", "process:/usr/sbin/sshd", "2" },
		{ "alternatives", "process:nginx,curl", "1 3" },
		{ "alternatives over several fields", "process:sshd,/usr/sbin/nginx", "1 2" },
		{ "terms must all hold", "process:nginx,sshd port:22", "2" },
		{ "not turns the next term round", "not process:nginx", "2 3 4 5 6" },
		{ "and only the next", "not process:nginx port:443", "3" },
		{ "twice not is none", "not not process:nginx", "1" },
		{ "a process may be called not", "process:not", "" },
		{ "a star stands for any run", "exe:/usr/*", "1 2" },
		{ "stars in the middle", "exe:/*/n*x", "1" },
		{ "a star alone: any text, but there must be one", "exe:*", "1 2 4" },
		{ "a question mark is one character", "comm:s?hd", "2" },
		{ "of any number of bytes", "comm:??", "6" },
		{ "and exactly one", "comm:?", "" },
		{ "quotes hold white space", "comm:\"Web Content\"", "4" },
		{ "a pattern in quotes", "exe:\"*fire *\"", "4" },
		{ "quotes in the middle", "comm:Web\" \"Content", "4" },
		{ "a comma in quotes", "by_transport.note:\"x,y\"", "4" },
		{ "alternatives in quotes", "by_transport.note:\"x,y\",\"a b\"", "2 4" },
		{ "a backslash takes the next literally", "comm:w\\*ld\\\\\\?", "5" },
		{ "in quotes too", "comm:\"w\\*ld\\\\\\?\"", "5" },
		{ "a pattern with escaped specials", "comm:w\\*l*\\\\\\?", "5" },
		{ "an escaped star is no pattern", "comm:\\*", "" },
		{ "a quote inside", "by_transport.note:\\\"q\\\"", "5" },
		{ "the empty text finds rows without one", "by_transport.note:\"\"", "1 3 6" },
		{ "and its opposite", "not by_transport.note:\"\"", "2 4 5" },
		{ "numbers are equal", "pid:3", "3" },
		{ "either port", "port:443", "1 3" },
		{ "several ports", "port:22,80", "2 4" },
		{ "greater", "tx_bytes:>1M", "1 5" },
		{ "greater or equal", "tx_bytes:>=1M", "1 3 5" },
		{ "less", "tx_bytes:<999", "4 6" },
		{ "less or equal", "tx_bytes:<=999", "2 4 6" },
		{ "a unit on an equal value", "tx_bytes:1.5MB", "1" },
		{ "the largest number", "tx_bytes:18446744073709551615", "5" },
		{ "comparisons as alternatives", "tx_bytes:<3,>2M", "4 5" },
		{ "a range is two terms", "tx_bytes:>2 tx_bytes:<1000", "2 6" },
		{ "a time's plain number is in the field's unit", "srtt_us:>1000", "1 2" },
		{ "or it has a unit", "srtt_us:>=1.5ms", "1 2" },
		{ "an equals sign as a colon", "srtt_us=1500us", "1" },
		{ "or two", "srtt_us==1500us", "1" },
		{ "by the word of its heading", "rtt:>=1500us", "1 2" },
		{ "which needs no colon either", "rtt>1.5ms", "2" },
		{ "and in plain numbers is in the field's unit too", "rtt<300", "4 5 6" },
		{ "negative numbers", "delta:-5", "1" },
		{ "compared with their sign", "delta:<0", "1 4" },
		{ "the smallest of all", "delta:-9223372036854775808", "4" },
		{ "yes or no", "live:true", "1 3 4" },
		{ "no", "live:no", "2 5 6" },
		{ "an address", "peer:10.1.2.3", "1" },
		{ "a network, for mapped addresses as well", "peer:10.0.0.0/8", "1 4" },
		{ "networks as alternatives", "peer:10.1.0.0/16,2001:db8::/32", "1 3" },
		{ "IPv6", "peer:2001:db8::7", "3" },
		{ "not in a network: also who has no address", "not peer:10.0.0.0/8", "2 3 5 6" },
		{ "a field's name works beside its word", "peer_address:192.168.1.9", "2" },
		{ "later than a day", "seen:>2026-01-01", "1 2" },
		{ "a time as it was shown", "seen:2026-01-31T11:59:59.123456Z", "1" },
		{ "earlier", "seen:<2000-01-01", "4 5 6" },
		{ "a nested name", "by_transport.tcp.tx_bytes:5", "1" },
		{ "null is not small", "by_transport.tcp.tx_bytes:<9", "1" },
		{ "all at once", "  process:nginx  port:443 peer:10.0.0.0/8 not delta:>0 ", "1" },
		{ "terms may begin on another line", "live:true\nport:443", "1 3" },
		{ "a word alone is a part of any name", "nginx", "1" },
		{ "in the middle too", "ss", "2" },
		{ "in any of the names", "usr", "1 2" },
		{ "upper and lower case alike", "WEB content", "4" },
		{ "in quotes", "\"web c\"", "4" },
		{ "which hide a colon", "\"a:b\"", "" },
		{ "not where text has no word of the filter", "\"x,y\"", "" },
		{ "a part of an address", "192.168", "2" },
		{ "a whole address is that one", "10.1.2.3", "1" },
		{ "of IPv6 as well", "2001:db8::7", "3" },
		{ "a network", "10.0.0.0/8", "1 4" },
		{ "in quotes it is a part of a name", "\"10.1.2.3/8\"", "" },
		{ "a path is no network", "sbin/nginx", "1" },
		{ "nor is one with numbers", "10.1.2.3/8/", "" },
		{ "nor a number with a slash", "8/8", "" },
		{ "nor an address with one", "10.1.2.3/", "" },
		{ "a port, as it is", "443", "1 3" },
		{ "and none that only has it as a part", "44", "" },
		{ "and none that is written with a unit", "0.443k", "" },
		{ "several alone", "nginx,curl", "1 3" },
		{ "several addresses alone", "2001:db8::7,10.1.2.3", "1 3" },
		{ "all of several terms", "usr ssh", "2" },
		{ "turned round", "not usr", "3 4 5 6" },
		{ "a pattern alone matches the whole name", "n*x", "1" },
		{ "and not a part of it", "gi*", "" },
		{ "a literal star alone", "w\\*l", "5" },
		{ "beside other terms", "usr port:22", "2" },
		{ "a name in other letters", "\u6d4b", "6" },
		{ "a comparison needs no colon", "tx_bytes>1M", "1 5" },
		{ "nor with equality", "srtt_us>=1.5ms tx_bytes<=999", "2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct weir_filter *f = NULL;
		char *error = NULL;

		if (weir_filter_parse(&fixture_table, table[i].filter, &f, &error) < 0)
			fail_msg("%s: %s", table[i].what, error);
		if (strcmp(chosen(f), table[i].pids) != 0)
			fail_msg("%s: %s chose %s", table[i].what, table[i].filter, chosen(f));
		weir_filter_free(f);
	}
}

static void an_empty_filter_is_none(void **state)
{
	struct weir_filter *f = (struct weir_filter *)&rows;
	char *error = NULL;

	(void)state;
	assert_int_equal(weir_filter_parse(&fixture_table, "  ", &f, &error), 0);
	assert_null(f);
	assert_null(weir_filter_free(NULL));
}

static void what_a_wrong_filter_is_told(void **state)
{
	static const struct {
		const char *what, *filter, *says; /* a part of the line */
	} table[] = {
		{ "a word that is almost one", "proces:nginx", "column 1: unknown word \"proces\", did you mean \"process\"?" },
		{ "it names what there is", "zzzzzz:1", "fixture has: pid, comm, exe, delta," },
		{ "filter words among them", "zzzzzz:1", "by_transport.note, process, peer, port" },
		{ "a heading, as a table shows it", "PPORT:1", "unknown word \"PPORT\", did you mean \"peer_port\"?" },
		{ "or in small letters", "lport:1", "unknown word \"lport\", did you mean \"local_port\"?" },
		{ "two letters swapped", "prot:1", "did you mean \"port\"?" },
		{ "nothing alike: no guess", "zzzzzz:1", "unknown word \"zzzzzz\"; fixture has" },
		{ "the column of a later term", "pid:1  nope:2", "column 8: unknown word \"nope\"" },
		{ "a comparison of an unknown word", "pid:1 rtx>5", "column 7: unknown word \"rtx\"" },
		{ "nothing in quotes", "\"\"", "column 1: a name is missing" },
		{ "a word without its value", "pid:1 process nginx", "column 7: \"process\" has no value, as in process:VALUE" },
		{ "nothing between commas", "a,,b", "column 3: a name is missing" },
		{ "a quote that is not closed, alone", "\"a b", "column 1: a double quote is opened here and never closed" },
		{ "no word", ":5", "column 1: a word is missing before the \":\"" },
		{ "no word before a comparison", "pid:1 >5", "column 7: a word is missing before the \">\"" },
		{ "a comparison the wrong way round", "pid=>5",
		  "column 4: pid takes a number, such as 443, >1M or <=20k, not \"=>5\"" },
		{ "no value", "pid:", "column 5: pid takes a number, such as 443, >1M or <=20k, not \"\"" },
		{ "no value before the next term", "comm: pid:1", "column 6: comm takes a text" },
		{ "an alternative is missing", "pid:1,", "column 7: pid takes a number" },
		{ "an alternative is missing in front", "pid:,1", "column 5: pid takes a number" },
		{ "a text for a number", "port:https", "port takes a number, such as 443, >1M or <=20k, not \"https\"" },
		{ "a fraction", "pid:1.5", "pid takes a number" },
		{ "beyond 64 bits", "pid:18446744073709551616", "pid takes a number" },
		{ "beyond 64 bits with a sign", "delta:9223372036854775808", "delta takes a number" },
		{ "a negative count", "pid:-1", "pid takes a number" },
		{ "a bare comparison", "pid:>", "pid takes a number" },
		{ "a double comparison", "pid:>>5", "pid takes a number" },
		{ "a comparison in quotes", "pid:\">5\"", "pid takes a number" },
		{ "another language's or", "nginx or redis", "column 7: alternatives stand behind a comma, such as nginx,redis" },
		{ "and its and", "a && b", "column 3: terms beside each other all hold: leave it out" },
		{ "its not, of a word alone", "!nginx", "what turns a term round is a \"not\" before it: \"not nginx\"" },
		{ "of a word with a value", "pid:1 !port:443",
		  "column 7: what turns a term round is a \"not\" before it: \"not port:443\"" },
		{ "with a sign", "-port>443 x", "\"not port>443\"" },
		{ "inside", "port!=443", "\"not port=443\"" },
		{ "a word that is none stays one", "!zzzzzz:1", "unknown word \"!zzzzzz\"" },
		{ "a comparison of text", "comm:>a", "comm takes a text or pattern" },
		{ "no truth", "live:maybe", "live takes true or false" },
		{ "a duration", "srtt_us:5parsecs", "srtt_us takes a time, such as 20ms" },
		{ "by the word of its heading", "rtt>5parsecs", "rtt takes a time, such as 20ms" },
		{ "host bits", "peer:10.0.0.1/8", "peer takes an address or a network without host bits" },
		{ "host bits of a word alone", "10.1.2.3/8",
		  "column 1: \"10.1.2.3/8\" is no network, bits behind the first 8 are set; its network is 10.0.0.0/8" },
		{ "behind others", "not nginx,10.1.2.3/31",
		  "column 11: \"10.1.2.3/31\" is no network, bits behind the first 31 are set; its network is 10.1.2.2/31" },
		{ "of IPv6 as well", "pid:1 2001:db8::7/32",
		  "\"2001:db8::7/32\" is no network, bits behind the first 32 are set; its network is 2001:db8::/32" },
		{ "more bits than there are", "10.1.2.3/33", "\"10.1.2.3/33\" is no network such as 10.0.0.0/8; a part" },
		{ "the beginning of an address", "10.1/16", "\"10.1/16\" is no network such as 10.0.0.0/8; a part" },
		{ "an address as a pattern", "peer:10.*", "peer takes an address" },
		{ "a time", "seen:yesterday", "seen takes a time, such as >2026-01-31" },
		{ "a quote that is not closed", "comm:\"a b", "column 6: a double quote is opened here and never closed" },
		{ "a backslash at the end", "comm:a\\", "column 7: a backslash stands at the end" },
		{ "not at the end", "pid:1 not", "column 7: \"not\" stands before the term" },
		{ "only not", "not", "column 1: \"not\" stands before the term" },
		{ "an escape sequence in a word", "\x1b[2J:1", "\"\\x1b[2J\"" },
		{ "an escape sequence in a value", "pid:\x1b[2J", "not \"\\x1b[2J\"" },
		{ "a very long word is shortened",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
		  "aaa\u2026\"; fixture has" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct weir_filter *f = NULL;
		char *error = NULL;

		if (weir_filter_parse(&fixture_table, table[i].filter, &f, &error) != -EINVAL)
			fail_msg("%s: %s was taken", table[i].what, table[i].filter);
		assert_null(f);
		if (!strstr(error, table[i].says) || strchr(error, '\n') || strncmp(error, "filter", 6) != 0)
			fail_msg("%s: %s", table[i].what, error);
		free(error);
	}
}

static void a_filter_is_bounded(void **state)
{
	struct weir_buf b = { 0 };
	struct weir_filter *f = NULL;
	char *error = NULL;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		weir_buf_str(&b, "pid:1 ");
	assert_int_equal(weir_filter_parse(&fixture_table, b.data, &f, &error), 0);
	weir_filter_free(f);
	weir_buf_str(&b, "pid:1");
	assert_int_equal(weir_filter_parse(&fixture_table, b.data, &f, &error), -EINVAL);
	assert_non_null(strstr(error, "more than 64 terms"));
	free(error);

	weir_buf_reset(&b);
	weir_buf_str(&b, "port:1");
	for (unsigned i = 0; i < 1024; i++)
		weir_buf_str(&b, ",1");
	assert_int_equal(weir_filter_parse(&fixture_table, b.data, &f, &error), -EINVAL);
	assert_non_null(strstr(error, "more than 1024 alternatives"));
	free(error);

	weir_buf_reset(&b);
	for (unsigned i = 0; i < 4097; i++)
		weir_buf_char(&b, ' ');
	assert_int_equal(weir_filter_parse(&fixture_table, b.data, &f, &error), -EINVAL);
	assert_string_equal(error, "filter: longer than 4096 bytes");
	free(error);
	weir_buf_done(&b);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} table[] = {
		{ "", "", true },	   { "", "a", false },	     { "*", "", true },
		{ "**", "", true },	   { "?", "", false },	     { "a*", "a", true },
		{ "a*b*c", "axxbyyc", true }, { "a*b*c", "axxbyy", false }, { "*ab", "aab", true },
		{ "*ab*", "xaab", true },  { "a?c", "abc", true },   { "a?c", "ac", false },
		{ "*?", "a", true },	   { "*?", "", false },	     { "?*?", "a", false },
		{ "\\*", "*", true },	   { "\\*", "a", false },    { "\\?", "?", true },
		{ "a\\", "a\\", true },	   { "[a]", "a", false },    { "?", "\xff", true },
		{ "a*?", "a\u6d4b", true }, { "??", "\u6d4b", false }, { "*\u6d4b", "x\u6d4b", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (weir_filter_glob(table[i].pattern, table[i].text) != table[i].match)
			fail_msg("%s on %s", table[i].pattern, table[i].text);
}

/* What can never match is a mistake of whoever wrote it, and not an empty answer. */
static void values_that_cannot_be_are_refused(void **state)
{
	static const struct weir_field fields[] = {
		{ .name = "state", .type = WEIR_TYPE_TEXT, .words = "open closed" },
		{ .name = "port", .type = WEIR_TYPE_UINT, .max = 65535 },
		{ .name = "name", .filter = "state", .type = WEIR_TYPE_UINT, .max = 9 },
	};
	static const struct weir_table def = { .name = "limited", .fields = fields, .n_fields = ARRAY_SIZE(fields) };
	static const struct {
		const char *text, *error; /* NULL: fine */
	} table[] = {
		{ "state:open,closed", NULL },
		{ "state:\"open\"", NULL },
		{ "state:op*", NULL },
		{ "state:\"\"", NULL },
		{ "state:7", NULL },
		{ "port:65535", NULL },
		{ "port:>1000", NULL },
		{ "state:opened", "column 7: state takes one of open, closed, not \"opened\"" },
		{ "state:ope", "state takes one of" },
		{ "not state:open,closd", "column 16: state takes one of open, closed, not \"closd\"" },
		{ "state:\"open closed\"", "state takes one of" },
		{ "port:65536", "column 6: port takes a number from 0 to 65535, not \"65536\"" },
		{ "port:<100k", "port takes a number from 0 to 65535" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct weir_filter *f = NULL;
		char *error = NULL;
		int r = weir_filter_parse(&def, table[i].text, &f, &error);

		assert_int_equal(r, table[i].error ? -EINVAL : 0);
		if (table[i].error && !strstr(error, table[i].error))
			fail_msg("%s: %s", table[i].text, error);
		free(error);
		weir_filter_free(f);
	}
}

/* A word that another table has is no slip: the line says whose it is, and what to type. */
static void words_and_values_of_other_tables(void **state)
{
	static const struct weir_field fields[] = {
		{ .name = "state", .type = WEIR_TYPE_TEXT, .words = "open closed" },
	};
	static const struct weir_table def = { .name = "limited", .fields = fields, .n_fields = 1 };
	static const struct weir_table past = { .name = "before", .fields = fields, .n_fields = 1, .past = true };
	static const struct weir_table other = { .name = "other", .past = true };
	static const struct weir_table internal = { .name = "inner", .fields = fields, .n_fields = 1, .internal = true };
	static const struct {
		const struct weir_table *def;
		const char *text, *says;
	} table[] = {
		{ &def, "peer:10.0.0.1", "column 1: limited has no peer; fixture has: weir fixture peer:10.0.0.1" },
		{ &def, "state:open not port:>443",
		  "column 16: limited has no port; fixture has: weir fixture 'port:>443'" },
		{ &def, "port>443,5 x", "weir fixture 'port>443,5'" },
		{ &def, "comm:\"a b\"", "limited has no comm; fixture has: weir fixture" },
		{ &def, "comm:'$(x)'", "limited has no comm; fixture has: weir fixture" },
		{ &def, "peer:\x1b[2J", "limited has no peer; fixture has: weir fixture" },
		{ &def, "port:", "limited has no port; fixture has: weir fixture" }, /* there it would be wrong, too */
		{ &def, "port:x", "limited has no port; fixture has: weir fixture" },
		{ &def, "role:client",
		  "limited has no role; history_peers has: weir history peers role:client" },
		{ &def, "lost_packets:>5", "weir history 'lost_packets:>5'" },
		{ &past, "reason:x", "before has no reason; history_losses has: weir history losses reason:x" },
		/* The one that takes the value comes before one that only has the word. */
		{ &other, "state:degraded", "other has no state; doctor has: weir doctor state:degraded" },
		{ &def, "state:degraded",
		  "state takes one of open, closed, not \"degraded\"; doctor has that: weir doctor state:degraded" },
		{ &def, "state:none", "state takes one of open, closed, not \"none\"" },
		{ &internal, "peer:10.0.0.1", "no peer here; fixture has: weir fixture peer:10.0.0.1" },
		{ &internal, "nosuch:1", "unknown word \"nosuch\"; there are: state" },
		{ &weir_table_history_subjects, "packets:>5",
		  "no packets here; history_losses has: weir history losses 'packets:>5'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct weir_filter *f = NULL;
		char *error = NULL;
		size_t len, says = strlen(table[i].says);

		assert_int_equal(weir_filter_parse(table[i].def, table[i].text, &f, &error), -EINVAL);
		len = strlen(error);
		if (len < says || strcmp(error + len - says, table[i].says) != 0)
			fail_msg("%s: %s", table[i].text, error);
		free(error);
	}
}

/* A word alone is a value, too, where a field has few of them. */
static void a_word_alone_may_be_a_value(void **state)
{
	static const struct weir_field fields[] = {
		{ .name = "comm", .type = WEIR_TYPE_TEXT, .filter = "process" },
		{ .name = "state", .type = WEIR_TYPE_TEXT, .words = "open closed" },
	};
	static const struct weir_table def = { .name = "limited", .fields = fields, .n_fields = 2 };
	static const struct {
		const char *text;
		size_t n_values;
	} table[] = { { "open", 2 }, { "closed,nginx", 3 }, { "ope", 1 }, { "open*", 1 }, { "\"open\"", 1 }, { "Open", 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct weir_filter *f = NULL;

		assert_int_equal(weir_filter_parse(&def, table[i].text, &f, NULL), 0);
		if (f->n_values != table[i].n_values)
			fail_msg("%s: %zu values", table[i].text, f->n_values);
		assert_true(f->values[0].part);
		if (f->n_values > 1) {
			assert_int_equal(f->values[1].field, 1);
			assert_false(f->values[1].part);
			assert_true(weir_words_hold(fields[1].words, f->values[1].text));
		}
		weir_filter_free(f);
	}
}

/* Where nothing has a name, a word alone is a mistake. */
static void a_word_alone_needs_names(void **state)
{
	static const struct weir_field fields[] = {
		{ .name = "seconds", .type = WEIR_TYPE_UINT },
		{ .name = "summary", .type = WEIR_TYPE_TEXT },
	};
	static const struct weir_table def = { .name = "nameless", .fields = fields, .n_fields = ARRAY_SIZE(fields) };
	struct weir_filter *f = NULL;
	char *error = NULL;

	(void)state;
	assert_int_equal(weir_filter_parse(&def, "nginx", &f, &error), -EINVAL);
	assert_non_null(strstr(error, "\"nginx\" has no colon"));
	free(error);
}

/* A pattern that takes other matchers years. */
static void a_hostile_pattern_ends_soon(void **state)
{
	char pattern[400], text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 2; i += 2)
		memcpy(pattern + i, "*a", 2);
	memcpy(pattern + sizeof(pattern) - 2, "b", 2);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(weir_filter_glob(pattern, text));
}

static void a_word_for_addresses_and_names(void **state)
{
	static const struct weir_field fields[] = {
		{ .name = "peer_address", .title = "PEER", .filter = "peer", .type = WEIR_TYPE_ADDRESS },
		{ .name = "peer_name", .title = "NAME", .filter = "peer", .type = WEIR_TYPE_TEXT },
	};
	static const struct weir_table two = { .name = "two", .fields = fields, .n_fields = 2 };
	static const struct {
		const char *text;
		int r;
		unsigned field;
	} words[] = {
		{ "peer:10.0.0.1", 0, 0 },	{ "peer:10.0.0.0/8", 0, 0 },	{ "peer:2001:db8::1", 0, 0 },
		{ "peer:example.com", 0, 1 },	{ "peer:*.example.com", 0, 1 }, { "peer:3com.example", 0, 1 },
		{ "peer:10.0.0.1/8", -EINVAL, 0 }, { "peer:10.0.0", -EINVAL, 0 }, { "peer_name:10.0.0", 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct weir_filter *f = NULL;
		char *error = NULL;

		if (weir_filter_parse(&two, words[i].text, &f, &error) != words[i].r)
			fail_msg("%s: %s", words[i].text, error ? error : "was taken");
		if (f) {
			assert_int_equal(f->n_values, 1);
			assert_int_equal(f->values[0].field, words[i].field);
		}
		weir_filter_free(f);
		free(error);
	}
}

/* Whatever a name is, the filter for it finds it alone. */
static void a_quoted_name_finds_itself(void **state)
{
	static const char *const names[] = { "nginx", "Web Content", "w*ld\\?", "\u6d4b\u8bd5" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct weir_buf text = {};
		struct weir_filter *filter = NULL;
		char *error = NULL;
		unsigned found = 0;

		weir_buf_str(&text, "comm:");
		weir_filter_quote(&text, names[i]);
		assert_int_equal(weir_filter_parse(&fixture_table, text.data, &filter, &error), 0);
		for (size_t row = 0; row < rows.n; row++) {
			if (!weir_filter_match(filter, &rows, row))
				continue;
			assert_string_equal(weir_cell_text(&rows, row, FIXTURE_COMM), names[i]);
			found++;
		}
		assert_int_equal(found, 1);
		weir_filter_free(filter);
		weir_buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_for_addresses_and_names),
		cmocka_unit_test(a_word_alone_needs_names),
		cmocka_unit_test(which_rows_a_filter_chooses),
		cmocka_unit_test(an_empty_filter_is_none),
		cmocka_unit_test(what_a_wrong_filter_is_told),
		cmocka_unit_test(values_that_cannot_be_are_refused),
		cmocka_unit_test(words_and_values_of_other_tables),
		cmocka_unit_test(a_word_alone_may_be_a_value),
		cmocka_unit_test(a_filter_is_bounded),
		cmocka_unit_test(patterns),
		cmocka_unit_test(a_quoted_name_finds_itself),
		cmocka_unit_test(a_hostile_pattern_ends_soon),
	};

	return cmocka_run_group_tests(tests, make_rows, free_rows);
}
