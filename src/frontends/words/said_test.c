// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "frontends/words/said.h"
#include "frontends/words/said_private.h"
#include "frontends/words/words.h"

static int chinese(void **state)
{
	(void)state;
	weir_words_set(WEIR_LANGUAGE_ZH);
	return 0;
}

static int english(void **state)
{
	(void)state;
	weir_words_set(WEIR_LANGUAGE_EN);
	return 0;
}

static void expect(const char *text, const char *want)
{
	char buf[WEIR_SAID_ROOM];

	assert_string_equal(weir_said(text, buf, sizeof(buf)), want);
}

static void in_english_all_stays(void **state)
{
	static const char text[] = "The packet was used; nothing is lost.";
	char buf[WEIR_SAID_ROOM];

	(void)state;
	assert_ptr_equal(weir_said(text, buf, sizeof(buf)), text);
	assert_null(weir_said(NULL, buf, sizeof(buf)));
}

static void sentences_as_they_stand(void **state)
{
	char buf[WEIR_SAID_ROOM];

	(void)state;
	expect("The packet was used; nothing is lost.", "包已被使用；没有丢失。");
	expect("the table of neighbours is full", "邻居表已满");
	assert_null(weir_said(NULL, buf, sizeof(buf)));
}

static void names_in_tables_stay(void **state)
{
	static const char text[] = "the table of neighbours is full";
	char buf[WEIR_SAID_ROOM];

	(void)state;
	assert_ptr_equal(weir_said_field("comm", text, buf, sizeof(buf)), text);
	assert_string_equal(weir_said_field("summary", text, buf, sizeof(buf)), "邻居表已满");
	assert_string_equal(weir_said_field("reason", "NO_SOCKET", buf, sizeof(buf)), "NO_SOCKET");
	assert_null(weir_said_field("cure", NULL, buf, sizeof(buf)));
}

static void what_the_table_does_not_have_stays(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"a sentence of a newer daemon",
		"the table of neighbours is full.",
		"the table of neighbours is ful",
		"the table",
		"5 packets lost: ",
		" packets lost: x",
		"{owner?}",
		"{why?}: {why?}",
	};
	char buf[WEIR_SAID_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_ptr_equal(weir_said(texts[i], buf, sizeof(buf)), texts[i]);
}

static void values_are_filled_in(void **state)
{
	(void)state;
	expect("nginx's receive buffer is full; the program reads too slowly",
	       "nginx 的接收缓冲区已满；程序读取太慢");
	expect("the program's receive buffer is full; the program reads too slowly",
	       "该程序的接收缓冲区已满；程序读取太慢");
	expect("1 packet lost: the table of neighbours is full", "丢失 1 个包：邻居表已满");
	expect("12 packets a second lost on eth0: nginx reads too slowly; its TCP window is closed",
	       "eth0 每秒丢失 12 个包：nginx 读取太慢；其 TCP 窗口已关闭");
	expect("3 connections turned away: the program accepts connections too slowly; its listen "
	       "queue is full",
	       "拒绝了 3 个连接：该程序接受连接太慢；其监听队列已满");
	expect("7 packets lost on eth0: a headline of a newer daemon",
	       "eth0 丢失 7 个包：a headline of a newer daemon");
}

static void reasons_are_said_whole(void **state)
{
	(void)state;
	expect("this kernel lacks kprobes", "此内核缺少 kprobe");
	expect("this kernel lacks the BPF ring buffer", "此内核缺少 BPF 环形缓冲区");
	expect("this kernel lacks programs on typed tracepoints",
	       "此内核缺少带类型 tracepoint 上的程序");
	expect("this kernel lacks the tracepoint tcp_send_reset",
	       "此内核缺少 tracepoint tcp_send_reset");
	expect("this kernel lacks the function udp_sendmsg: UDP is not counted",
	       "此内核缺少函数 udp_sendmsg：UDP 不计入");
	expect("Operation not permitted: UDP is not counted", "操作不被允许：UDP 不计入");
	expect("Unknown error 524: UDP is not counted", "Unknown error 524：UDP 不计入");
	expect("loading BPF programs needs CAP_BPF, CAP_PERFMON, which this process lacks",
	       "加载 BPF 程序需要 CAP_BPF, CAP_PERFMON，而本进程没有");
	expect("the kernel refused the object: the kernel refuses this program though the rights "
	       "are there: "
	       "Permission denied (a lockdown or another policy)",
	       "内核拒绝了 BPF 对象：权限已具备，但内核拒绝此程序：权限不够（lockdown "
	       "或其他策略）");
	/* What it lacks is not known, so that half of the sentence would be English. */
	expect("this kernel lacks something new", "this kernel lacks something new");
}

static void changes_are_said_with_what_they_are_about(void **state)
{
	(void)state;
	expect("nginx rose from 1.5 MB/s to 3 MB/s", "nginx 从 1.5 MB/s 升至 3 MB/s");
	expect("nginx to db.example, port 5432, moved 3 MB/s, and nothing before: it is new",
	       "nginx 到 db.example（端口 5432）：3 MB/s，之前没有；首次出现");
	expect("packets lost for NO_SOCKET at eth0 by nginx fell from 12 to 3",
	       "eth0 上 nginx 因 NO_SOCKET 丢失的包从 12 降至 3");
	expect("packets lost for TCP_CSUM were 12 before, and nothing now",
	       "因 TCP_CSUM 丢失的包：之前 12，现在没有");
	/* May be a program's name. */
	expect("rsync with web rose from 1 to 2", "rsync with web 从 1 升至 2");
	/* What a part is of is no sentence alone. */
	expect("nginx with database.example", "nginx with database.example");
	expect("it is damaged (a newer weir wrote it), and cannot be set aside: Permission denied",
	       "文件已损坏（由更新版本的 weir 写入），且无法移存：权限不够");
	expect("sshd listens on [::1]:22", "sshd 监听 [::1]:22");
}

static void names_are_no_sentences(void **state)
{
	static const char *const names[] = {
		"a",
		" ",
		"evil: x",
		"{owner?}",
		"%s%n",
		"'s receive buf",
		"traffic: UDP",
		"this program",
		"lost on eth0:",
		"reads too slow",
		"\x1b[31mred",
		"\xff\xfe\x80",
		"\n",
		"packets lost: ",
		"kprobes",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool wide = (unsigned char)names[i][strlen(names[i]) - 1] >= 0x80;
		char text[256], want[256];

		snprintf(text, sizeof(text),
			 "9 packets lost on eth0: %s reads too slowly; its TCP window is closed",
			 names[i]);
		snprintf(want, sizeof(want), "eth0 丢失 9 个包：%s%s读取太慢；其 TCP 窗口已关闭",
			 names[i], wide ? "" : " ");
		expect(text, want);
	}
}

static void without_room_it_stays(void **state)
{
	static const char text[] = "12 packets a second lost on eth0: nginx reads too slowly; its "
				   "TCP window is closed";
	char buf[WEIR_SAID_ROOM], whole[WEIR_SAID_ROOM];
	size_t need = strlen(weir_said(text, whole, sizeof(whole))) + 1;

	(void)state;
	for (size_t room = 0; room < need; room++) {
		const char *got;

		memset(buf, '!', sizeof(buf));
		got = weir_said(text, buf, room);
		assert_true(got == text || !memchr(got, '!', strlen(got)));
		for (size_t i = room; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '!');
		if (room < strlen("12 nginx"))
			assert_ptr_equal(got, text);
	}
	assert_string_equal(weir_said(text, buf, need), whole);
}

static void every_row_can_be_shown_and_found(void **state)
{
	(void)state;
	weir_text_init();
	assert_true(weir_said_plain_n > 500 && weir_said_filled_n > 20);
	for (unsigned i = 0; i < weir_said_plain_n; i++) {
		_cleanup_(weir_buf_done) struct weir_buf b = {};

		assert_true(!i ||
			    strcmp(weir_said_plain[i].english, weir_said_plain[i - 1].english) > 0);
		expect(weir_said_plain[i].english, weir_said_plain[i].chinese);
		weir_text_escape_terminal(&b, weir_said_plain[i].chinese, WEIR_TEXT_UNLIMITED);
		assert_string_equal(b.data, weir_said_plain[i].chinese);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_english_all_stays, english),
		cmocka_unit_test_setup(sentences_as_they_stand, chinese),
		cmocka_unit_test_setup(names_in_tables_stay, chinese),
		cmocka_unit_test_setup(what_the_table_does_not_have_stays, chinese),
		cmocka_unit_test_setup(values_are_filled_in, chinese),
		cmocka_unit_test_setup(reasons_are_said_whole, chinese),
		cmocka_unit_test_setup(changes_are_said_with_what_they_are_about, chinese),
		cmocka_unit_test_setup(names_are_no_sentences, chinese),
		cmocka_unit_test_setup(without_room_it_stays, chinese),
		cmocka_unit_test_setup(every_row_can_be_shown_and_found, chinese),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
