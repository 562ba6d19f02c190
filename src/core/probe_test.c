// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/probe_private.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/probe_ability.h"
#include "core/tables.h"

#define NOWHERE "/nowhere/vmlinux"
#define ALL (WEIR_RIGHT(CAP_BPF) | WEIR_RIGHT(CAP_PERFMON) | WEIR_RIGHT(CAP_NET_ADMIN))

static struct weir_probe *probe;

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int begin(void **state)
{
	(void)state;
	libbpf_set_print(quiet);
	return weir_probe_new(&probe);
}

static int end(void **state)
{
	(void)state;
	probe = weir_probe_free(probe);
	return 0;
}

static void pretend(const char *without)
{
	char *error = NULL;

	assert_int_equal(weir_probe_pretend(probe, without, &error), 0);
	assert_null(error);
}

/* --- what stands behind an errno ---------------------------------------------------------------- */

static void an_errno_is_told_apart_by_what_the_process_may(void **state)
{
	static const struct {
		const char *sentence;
		struct weir_rights rights;
		int error;
		uint64_t wanted;
		const char *reason, *cure; /* a piece; NULL: nothing about rights or memory */
	} table[] = {
		{ "no right at all", {}, -EPERM, ALL, "needs CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, which this process lacks",
		  "add CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN" },
		{ "one right is missing", { .capabilities = ALL & ~WEIR_RIGHT(CAP_PERFMON) }, -EPERM, ALL,
		  "needs CAP_PERFMON, which", "add CAP_PERFMON" },
		{ "CAP_SYS_ADMIN stands for all", { .capabilities = WEIR_RIGHT(CAP_SYS_ADMIN) }, -EPERM, ALL,
		  "though the rights are there", "" },
		{ "a positive errno means the same", {}, EACCES, ALL, "which this process lacks", "sudo" },
		{ "a user namespace", { .capabilities = ~0ull, .user_namespace = true }, -EPERM, ALL,
		  "capabilities of a user namespace do not count", "machine's root" },
		{ "a seccomp filter", { .capabilities = ~0ull, .seccomp = true }, -EPERM, ALL, "seccomp", "allow bpf()" },
		{ "a filter that says there is no such call", { .capabilities = ~0ull, .seccomp = true }, -ENOSYS, ALL,
		  "seccomp", "allow bpf()" },
		{ "a kernel without the call", { .capabilities = ~0ull }, -ENOSYS, ALL, NULL, NULL },
		{ "lockdown", { .capabilities = ~0ull, .lockdown = "confidentiality" }, -EPERM, ALL,
		  "locked down: confidentiality", "boot without lockdown=confidentiality" },
		{ "no lockdown", { .capabilities = ~0ull, .lockdown = "none" }, -EPERM, ALL, "another policy", "" },
		{ "RLIMIT_MEMLOCK says EPERM on old kernels",
		  { .capabilities = ALL, .memlock_counts = true, .memlock_bytes = 65536 }, -EPERM, ALL,
		  "RLIMIT_MEMLOCK (65536 bytes)", "ulimit -l unlimited" },
		{ "or ENOMEM", { .capabilities = ALL, .memlock_counts = true }, -ENOMEM, ALL, "RLIMIT_MEMLOCK (0 bytes)",
		  "LimitMEMLOCK" },
		{ "the limit means nothing since 5.11", { .capabilities = ~0ull }, -ENOMEM, ALL, "no memory left",
		  "memory.max" },
		{ "a large limit is enough", { .capabilities = ~0ull, .memlock_counts = true, .memlock_bytes = 1ull << 40 },
		  -ENOMEM, ALL, "no memory left", "memory.max" },
		{ "not there", { .capabilities = ~0ull }, -ENOENT, ALL, NULL, NULL },
		{ "not understood", {}, -EINVAL, ALL, NULL, NULL },
		{ "not supported", {}, -EOPNOTSUPP, ALL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct weir_why why;
		bool told = weir_rights_explain(&table[i].rights, table[i].error, table[i].wanted, "this", &why);

		if (told != (table[i].reason != NULL))
			fail_msg("%s: %d", table[i].sentence, told);
		if (told && (!strstr(why.reason, table[i].reason) || !strstr(why.cure, table[i].cure) ||
			     (!*table[i].cure && *why.cure)))
			fail_msg("%s: \"%s\", \"%s\"", table[i].sentence, why.reason, why.cure);
	}
}

static void lockdown_is_the_word_in_brackets(void **state)
{
	static const struct {
		const char *text, *word; /* NULL: none */
	} table[] = {
		{ "[none] integrity confidentiality\n", "none" },
		{ "none [integrity] confidentiality\n", "integrity" },
		{ "none integrity [confidentiality]", "confidentiality" },
		{ "", NULL },
		{ "none", NULL },
		{ "[", NULL },
		{ "[]", NULL },
		{ "]none[", NULL },
		{ "[a word that is longer than any that there is]", NULL },
	};
	char word[24];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(weir_lockdown_parse(table[i].text, word, sizeof(word)), table[i].word != NULL);
		if (table[i].word)
			assert_string_equal(word, table[i].word);
	}
	assert_true(weir_lockdown_parse("[1234567]", word, 8));
	assert_false(weir_lockdown_parse("[12345678]", word, 8));
}

/* --- abilities ---------------------------------------------------------------------------------- */

static void each_ability_has_a_name_of_its_own_and_needs_an_earlier_one(void **state)
{
	(void)state;
	for (unsigned a = 0; a < _WEIR_ABILITY_MAX; a++) {
		const char *name = weir_ability_name((enum weir_ability)a);
		enum weir_ability needs = weir_ability_needs((enum weir_ability)a);

		assert_int_equal(weir_ability_find(name, strlen(name)), a);
		assert_true(*weir_ability_help((enum weir_ability)a));
		assert_true(needs < a || needs == _WEIR_ABILITY_MAX);
		assert_null(strpbrk(name, ",: "));
	}
	assert_int_equal(weir_ability_find("bt", 2), _WEIR_ABILITY_MAX);
	assert_int_equal(weir_ability_find("", 0), _WEIR_ABILITY_MAX);
}

/* Whatever the kernel and the rights of who runs the tests. */
static void each_answer_is_yes_or_has_a_reason(void **state)
{
	(void)state;
	for (unsigned a = 0; a < _WEIR_ABILITY_MAX; a++) {
		bool has = weir_probe_has(probe, (enum weir_ability)a);
		const char *reason = weir_probe_reason(probe, (enum weir_ability)a);

		assert_int_equal(has, reason == NULL);
		assert_true(!reason || (*reason && !strchr(reason, '\n')));
		assert_true(!has || !weir_probe_cure(probe, (enum weir_ability)a));
		assert_int_equal(weir_probe_has(probe, (enum weir_ability)a), has);
	}
}

static void what_is_switched_off_is_not_there(void **state)
{
	char list[256] = "";
	size_t n = 0;

	(void)state;
	for (unsigned a = 0; a < _WEIR_ABILITY_MAX; a++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? "," : "",
				      weir_ability_name((enum weir_ability)a));
	pretend(list);
	for (unsigned a = 0; a < _WEIR_ABILITY_MAX; a++) {
		assert_false(weir_probe_has(probe, (enum weir_ability)a));
		assert_non_null(strstr(weir_probe_reason(probe, (enum weir_ability)a), "switched off by --without"));
		assert_non_null(strstr(weir_probe_cure(probe, (enum weir_ability)a), "--without"));
	}
	assert_null(weir_probe_btf(probe));
	assert_int_equal(weir_probe_cgroup_fd(probe), -1);
}

static void what_needs_another_has_its_reason(void **state)
{
	static const enum weir_ability needs[] = { WEIR_ABILITY_TASK_BTF, WEIR_ABILITY_RINGBUF, _WEIR_ABILITY_MAX };
	static const enum weir_ability none[] = { _WEIR_ABILITY_MAX };
	const char *blocker;
	int why = 0;

	(void)state;
	pretend("bpf,ringbuf");
	assert_false(weir_probe_has(probe, WEIR_ABILITY_BPF_LOOP));
	assert_string_equal(weir_probe_reason(probe, WEIR_ABILITY_BPF_LOOP), weir_probe_reason(probe, WEIR_ABILITY_LOAD));
	assert_int_equal(weir_probe_lacks(probe, needs), WEIR_ABILITY_TASK_BTF);
	assert_int_equal(weir_probe_lacks(probe, none), _WEIR_ABILITY_MAX);
	blocker = weir_probe_blocker(probe, &why);
	assert_non_null(blocker);
	assert_true(why == EPERM || why == EOPNOTSUPP);
}

static void a_list_of_what_to_lack_is_checked_as_a_whole(void **state)
{
	static const struct {
		const char *list, *word; /* what the error names; NULL: right */
	} table[] = {
		{ NULL, NULL },
		{ "", NULL },
		{ "btf", NULL },
		{ "fentry,kprobe", NULL },
		{ "tracepoint:sock_send_length,function:tcp_sendmsg", NULL },
		{ "ringbuf,", NULL },
		{ "btg", "--without btg:" },
		{ "btf,ring", "--without ring:" },
		{ "tracepoint:", "--without tracepoint::" },
		{ "function:,btf", "--without function::" },
		{ ",btf", "--without :" },
		{ "BTF", "--without BTF:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char *error = NULL;
		int r;

		pretend("task_btf");
		r = weir_probe_pretend(probe, table[i].list, &error);
		assert_int_equal(r, table[i].word ? -EINVAL : 0);
		/* a wrong one changes nothing */
		assert_int_equal(weir_probe_pretends(probe, NULL, "task_btf"), table[i].word != NULL);
		if (table[i].word && (!strstr(error, table[i].word) || !strstr(error, "iter_task_file")))
			fail_msg("%s: %s", table[i].list, error);
		free(error);
	}
	pretend("tracepoint:a,function:b");
	assert_true(weir_probe_pretends(probe, "tracepoint", "a"));
	assert_true(weir_probe_pretends(probe, "function", "b"));
	assert_false(weir_probe_pretends(probe, "tracepoint", "b"));
	assert_false(weir_probe_pretends(probe, "function", "bb"));
	assert_false(weir_probe_pretends(probe, NULL, "a"));
}

/* In a process of its own, which gives all rights up. */
static int look_without_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
	struct weir_probe *p = NULL;

	if (syscall(SYS_capset, &head, none) < 0 || weir_probe_new(&p) < 0)
		return 1;
	if (weir_probe_has(p, WEIR_ABILITY_LOAD) || !strstr(weir_probe_reason(p, WEIR_ABILITY_LOAD), "CAP_BPF"))
		return 2;
	if (weir_probe_has(p, WEIR_ABILITY_BPF_LOOP) || !strstr(weir_probe_reason(p, WEIR_ABILITY_BPF_LOOP), "CAP_BPF"))
		return 3;
	if (weir_probe_has(p, WEIR_ABILITY_RINGBUF) || !strstr(weir_probe_cure(p, WEIR_ABILITY_RINGBUF), "sudo"))
		return 4;
	weir_probe_free(p);
	return 0;
}

static void without_rights_the_missing_ones_are_named(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(look_without_rights());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- types -------------------------------------------------------------------------------------- */

/* f(int, int), a tracepoint with two arguments, one with none, and things that only look like them. */
static void write_types(const char *path)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int proto = btf__add_func_proto(btf, number), pointer, bare;
	const void *data;
	uint32_t size;
	FILE *f;

	assert_int_equal(btf__add_func_param(btf, "a", number), 0);
	assert_int_equal(btf__add_func_param(btf, "b", number), 0);
	btf__add_func(btf, "two", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, "data", number);
	btf__add_func_param(btf, "a", number);
	btf__add_func_param(btf, "b", number);
	pointer = btf__add_ptr(btf, proto);
	btf__add_typedef(btf, "btf_trace_pair", pointer);
	proto = btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, "data", number);
	bare = btf__add_ptr(btf, proto);
	btf__add_typedef(btf, "btf_trace_bare", bare);
	btf__add_typedef(btf, "btf_trace_number", number);
	btf__add_typedef(btf, "two_too", number);
	data = btf__raw_data(btf, &size);
	assert_non_null(data);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(data, size, 1, f), 1);
	fclose(f);
	btf__free(btf);
}

static void parameters_are_read_from_the_kernels_types(void **state)
{
	char path[] = "/tmp/weir-probe-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_types(path);
	setenv("WEIR_BTF", path, 1);
	end(NULL);
	assert_int_equal(begin(NULL), 0);
	unsetenv("WEIR_BTF");
	unlink(path);

	assert_true(weir_probe_has(probe, WEIR_ABILITY_BTF));
	assert_int_equal(weir_probe_function_arity(probe, "two"), 2);
	assert_true(weir_probe_function(probe, "two"));
	assert_int_equal(weir_probe_function_arity(probe, "two_too"), -1);
	assert_int_equal(weir_probe_function_arity(probe, "three"), -1);
	assert_int_equal(weir_probe_tracepoint_arity(probe, "pair"), 2);
	assert_int_equal(weir_probe_tracepoint_arity(probe, "bare"), 0);
	assert_int_equal(weir_probe_tracepoint_arity(probe, "number"), -1);
	assert_false(weir_probe_tracepoint(probe, "two"));
	pretend("function:two,tracepoint:pair");
	assert_int_equal(weir_probe_function_arity(probe, "two"), -1);
	assert_false(weir_probe_tracepoint(probe, "pair"));
	assert_true(weir_probe_tracepoint(probe, "bare"));
	pretend(NULL);
	assert_int_equal(weir_probe_function_arity(probe, "two"), 2);
	assert_int_equal(weir_probe_function_arity(probe, "two"), 2);
	/* told once, known for good */
	weir_probe_settle(probe);
	assert_int_equal(weir_probe_function_arity(probe, "two"), 2);
	assert_false(weir_probe_tracepoint(probe, "pair"));
}

static void a_kernel_without_types_says_so_for_all_that_needs_them(void **state)
{
	(void)state;
	setenv("WEIR_BTF", NOWHERE, 1);
	end(NULL);
	assert_int_equal(begin(NULL), 0);
	unsetenv("WEIR_BTF");
	assert_null(weir_probe_btf(probe));
	assert_non_null(strstr(weir_probe_reason(probe, WEIR_ABILITY_BTF), "there is no BTF"));
	assert_non_null(strstr(weir_probe_cure(probe, WEIR_ABILITY_BTF), "CONFIG_DEBUG_INFO_BTF"));
	assert_string_equal(weir_probe_reason(probe, WEIR_ABILITY_FENTRY), weir_probe_reason(probe, WEIR_ABILITY_BTF));
	assert_false(weir_probe_function(probe, "tcp_sendmsg"));
	assert_false(weir_probe_tracepoint(probe, "tcp_destroy_sock"));
}

/* --- notes -------------------------------------------------------------------------------------- */

static void the_first_loss_is_the_first_that_is_unavailable(void **state)
{
	const char *reason = "unchanged", *cure = "unchanged";

	(void)state;
	weir_probe_note(probe, "a", "x", WEIR_DOCTOR_ON, "all", NULL, NULL);
	weir_probe_note(probe, "a", NULL, WEIR_DOCTOR_DEGRADED, NULL, "a little", "some");
	assert_false(weir_probe_first_loss(probe, &reason, &cure));
	assert_string_equal(reason, "unchanged");
	weir_probe_note(probe, "b", "y", WEIR_DOCTOR_UNAVAILABLE, NULL, "no room", NULL);
	weir_probe_note(probe, "c", "z", WEIR_DOCTOR_UNAVAILABLE, NULL, "no time", "wait");
	assert_true(weir_probe_first_loss(probe, &reason, &cure));
	assert_string_equal(reason, "no room");
	assert_null(cure);
}

static void a_feature_and_the_remarks_on_it_stand_together(void **state)
{
	static const char *const order[] = { "b", "b", "b", "b: late", "b: early", "bb", "a" };
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *s = NULL;
	struct weir_rows rows;

	(void)state;
	weir_probe_note(probe, "b: late", NULL, WEIR_DOCTOR_DEGRADED, NULL, "r", NULL);
	weir_probe_note(probe, "bb", "x", WEIR_DOCTOR_ON, "all", NULL, NULL);
	weir_probe_note(probe, "b", "x", WEIR_DOCTOR_UNAVAILABLE, NULL, "r", "c");
	weir_probe_note(probe, "b", "xx", WEIR_DOCTOR_UNAVAILABLE, NULL, "r", "c");
	weir_probe_note(probe, "a", "y", WEIR_DOCTOR_OFF, NULL, NULL, NULL);
	weir_probe_note(probe, "b", "z", WEIR_DOCTOR_ON, "all", NULL, NULL);
	weir_probe_note(probe, "b: early", NULL, WEIR_DOCTOR_DEGRADED, NULL, "r", NULL);
	weir_probe_note(probe, "b: early", NULL, WEIR_DOCTOR_DEGRADED, NULL, "r", NULL); /* told already */
	weir_probe_snapshot(probe, b, 1);
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &weir_table_doctor, &rows), 0);
	assert_int_equal(rows.n, ARRAY_SIZE(order));
	for (size_t i = 0; i < rows.n; i++)
		assert_string_equal(weir_cell_text(&rows, i, DOCTOR_FEATURE), order[i]);
	assert_string_equal(weir_cell_text(&rows, 0, DOCTOR_STATE), "unavailable");
	/* remarks are no metric, and two sets with one reason are one */
	assert_int_equal(weir_snapshot_rows(s, &weir_table_features_info, &rows), 0);
	assert_int_equal(rows.n, 4);
	weir_snapshot_unref(s);
	weir_builder_free(b);
}

static int is_possible(const struct weir_probe *p, const char **ret_reason)
{
	(void)p;
	(void)ret_reason;
	return 0;
}

static int lacks_loops(const struct weir_probe *p, const char **ret_reason)
{
	*ret_reason = weir_probe_reason(p, WEIR_ABILITY_BPF_LOOP);
	return -EOPNOTSUPP;
}

static int lacks_luck(const struct weir_probe *p, const char **ret_reason)
{
	(void)p;
	*ret_reason = "no luck";
	return -EOPNOTSUPP;
}

static const char *notes_as_text(void)
{
	static char text[512];
	struct weir_builder *b = weir_builder_new();
	struct weir_snapshot_head head = { .number = 1 };
	struct weir_snapshot *s = NULL;
	struct weir_rows rows;
	size_t n = 0;

	weir_probe_snapshot(probe, b, 1);
	assert_int_equal(weir_builder_finish(b, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &weir_table_doctor, &rows), 0);
	for (size_t i = 0; i < rows.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s%s%s;",
				      weir_cell_text(&rows, i, DOCTOR_HOOK_SET), weir_cell_text(&rows, i, DOCTOR_STATE),
				      weir_cell_text(&rows, i, DOCTOR_REASON) ? ": " : "",
				      weir_cell_text(&rows, i, DOCTOR_CURE) ? "cured" : "");
	weir_snapshot_unref(s);
	weir_builder_free(b);
	return text;
}

/* Better sets than the one in use are told; worse ones are not even asked for. */
static void each_better_set_of_hooks_says_why_it_is_not_the_one(void **state)
{
	static const struct weir_hook_set sets[] = {
		{ .name = "best", .possible = lacks_loops },
		{ .name = "good", .possible = lacks_luck },
		{ .name = "used", .possible = is_possible },
		{ .name = "poor", .possible = lacks_luck },
		{},
	};

	(void)state;
	pretend("bpf_loop");
	weir_probe_note(probe, "f", "used", WEIR_DOCTOR_ON, "all", NULL, NULL);
	weir_probe_note_sets(probe, "f", sets);
	weir_probe_note_sets(probe, "f", NULL);
	assert_string_equal(notes_as_text(), "used on;best off: cured;good off: ;");
	assert_true(weir_probe_serves(probe, "f", "used"));
	assert_false(weir_probe_serves(probe, "f", "best"));
	assert_true(weir_probe_serves(probe, "f", NULL));
	assert_false(weir_probe_serves(probe, "g", NULL));

	end(NULL);
	assert_int_equal(begin(NULL), 0);
	pretend("bpf_loop");
	weir_probe_note(probe, "f", "none", WEIR_DOCTOR_UNAVAILABLE, NULL, "no luck", NULL);
	weir_probe_note_sets(probe, "f", sets);
	assert_string_equal(notes_as_text(), "none unavailable: ;best unavailable: cured;");
}

static void answers_outlive_what_they_were_read_from(void **state)
{
	bool had = weir_probe_has(probe, WEIR_ABILITY_BTF);

	(void)state;
	weir_probe_settle(probe);
	assert_int_equal(weir_probe_has(probe, WEIR_ABILITY_BTF), had);
	assert_null(weir_probe_btf(probe));
	assert_null(weir_probe_free(NULL));
}

static void a_refusal_is_one_line(void **state)
{
	static const int errors[] = { -EPERM, -ENOMEM, -EINVAL, -E2BIG, EACCES, -ENOSYS };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const char *cure = "", *reason = weir_probe_refusal(probe, errors[i], &cure);

		assert_true(*reason && !strchr(reason, '\n'));
		assert_true(!cure || *cure);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_errno_is_told_apart_by_what_the_process_may),
		TEST(lockdown_is_the_word_in_brackets),
		TEST(each_ability_has_a_name_of_its_own_and_needs_an_earlier_one),
		TEST(each_answer_is_yes_or_has_a_reason),
		TEST(what_is_switched_off_is_not_there),
		TEST(what_needs_another_has_its_reason),
		TEST(a_list_of_what_to_lack_is_checked_as_a_whole),
		TEST(without_rights_the_missing_ones_are_named),
		TEST(parameters_are_read_from_the_kernels_types),
		TEST(a_kernel_without_types_says_so_for_all_that_needs_them),
		TEST(the_first_loss_is_the_first_that_is_unavailable),
		TEST(a_feature_and_the_remarks_on_it_stand_together),
		TEST(each_better_set_of_hooks_says_why_it_is_not_the_one),
		TEST(answers_outlive_what_they_were_read_from),
		TEST(a_refusal_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
