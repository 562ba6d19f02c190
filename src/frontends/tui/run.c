// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "frontends/tui/screen.h"
#include "frontends/tui/tui.h"

#define SECOND_NS 1000000000ull

/* What a round costs this process may be so small a part of the time: with very many rows a tree
 * comes less often. */
#define COST_SHARE 25

#define EARLY_ROUNDS 6
#define EARLY_NS (SECOND_NS / 5)

struct tui_loop {
	struct tui_app app;
	const struct tui_link *link;
	struct tui_question asked[_TUI_SLOT_MAX];
	bool waiting[_TUI_SLOT_MAX];
	unsigned n_waiting;
	uint64_t rounds, next_ns, round_ns, cost_ns;
	bool dirty, answered;
	bool ascii;
	int signals_fd;
	bool over;
	int quit_signal; /* to end by, once the terminal is as it was */
};

/* --- questions and answers ------------------------------------------------------------------- */

static void ask(struct tui_loop *t)
{
	t->cost_ns = weir_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	t->round_ns = weir_mono_ns();
	for (unsigned slot = 0; slot < _TUI_SLOT_MAX; slot++) {
		if (!tui_app_question(&t->app, slot, t->rounds, &t->asked[slot]))
			continue;
		if (t->link->ask(t->link->user, slot, &t->asked[slot]) < 0)
			continue;
		t->waiting[slot] = true;
		t->n_waiting++;
	}
	tui_app_asked(&t->app);
	t->rounds++;
	t->next_ns = t->round_ns + t->app.interval_ns;
	/* A daemon that has just begun may have no row yet at the first question. */
	if (t->rounds < EARLY_ROUNDS && !tui_list_total(&t->app.lists[t->app.current]) &&
	    t->next_ns > t->round_ns + EARLY_NS)
		t->next_ns = t->round_ns + EARLY_NS;
}

/* All answers of a round are here: the frame shows them together. */
static void round_over(struct tui_loop *t)
{
	uint64_t cost = weir_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - t->cost_ns;
	uint64_t earliest = t->round_ns + cost * COST_SHARE;

	if (t->next_ns < earliest)
		t->next_ns = earliest;
	t->dirty = true;
}

static void take_answers(struct tui_loop *t)
{
	const char *text, *error;
	unsigned slot;
	size_t len;

	while (t->link->take(t->link->user, &slot, &text, &len, &error)) {
		if (slot >= _TUI_SLOT_MAX || !t->waiting[slot])
			continue;
		t->waiting[slot] = false;
		tui_app_answer(&t->app, slot, &t->asked[slot], text, len, error, weir_mono_ns());
		if (--t->n_waiting == 0)
			round_over(t);
	}
}

/* --- the terminal ---------------------------------------------------------------------------- */

static int draw(struct tui_loop *t)
{
	struct tui_grid g;
	unsigned rows, columns;
	int r;

	tui_screen_size(&rows, &columns);
	r = tui_grid_init(&g, rows, columns, t->ascii);
	if (r < 0)
		return r;
	tui_app_draw(&t->app, &g, weir_mono_ns());
	tui_screen_show(&g);
	tui_grid_done(&g);
	t->dirty = false;
	return 0;
}

static void read_keys(struct tui_loop *t)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct tui_input input;
	bool some = false;

	while (!t->app.quit && tui_screen_input(&input)) {
		some = true;
		if (input.is_mouse)
			tui_app_mouse(&t->app, input.mouse, input.row, input.column, weir_mono_ns());
		else if (input.key == TUI_KEY_REDRAW)
			tui_screen_forget();
		else
			tui_app_key(&t->app, input.key, weir_mono_ns());
	}
	tui_screen_mouse(t->app.mouse);
	t->dirty |= some;
	/* A terminal that went away can always be read, and gives nothing. */
	if (!some && poll(&in, 1, 0) > 0 && (in.revents & (POLLHUP | POLLERR | POLLNVAL)))
		t->over = true;
}

static void read_signals(struct tui_loop *t)
{
	struct signalfd_siginfo s;

	while (read(t->signals_fd, &s, sizeof(s)) == sizeof(s)) {
		t->dirty = true;
		if (s.ssi_signo == SIGTSTP) {
			tui_screen_suspend();
		} else if (s.ssi_signo == SIGCONT) {
			tui_screen_resume();
		} else if (s.ssi_signo == SIGQUIT) {
			t->quit_signal = SIGQUIT;
			t->over = true;
		}
	}
}

/* SIGWINCH and the like come by a descriptor, between two looks at the keys, where nothing is half
 * done. */
static int signals_open(sigset_t *ret_before)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, ret_before) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		int r = -errno;

		sigprocmask(SIG_SETMASK, ret_before, NULL);
		return r;
	}
	return fd;
}

/* --- the loop -------------------------------------------------------------------------------- */

static int turn(struct tui_loop *t)
{
	uint64_t now = weir_mono_ns(), until = t->next_ns;
	const int fds[] = { STDIN_FILENO, t->signals_fd };
	int r;

	if (!t->n_waiting && (now >= t->next_ns || t->app.ask_again))
		ask(t);
	/* Ages and messages are a second's matter. */
	if (t->n_waiting || until > now + SECOND_NS)
		until = now + SECOND_NS;
	r = t->link->wait(t->link->user, until, fds, ARRAY_SIZE(fds));
	if (r < 0)
		return r;
	read_signals(t);
	read_keys(t);
	take_answers(t);
	if (weir_mono_ns() >= until)
		t->dirty = true;
	/* A question goes out before the frame that the key asks for: its answer is there the
	 * sooner. */
	if (!t->n_waiting && t->app.ask_again)
		ask(t);
	return t->dirty && !t->over && !t->app.quit ? draw(t) : 0;
}

static int loop(struct tui_loop *t)
{
	int r = draw(t);

	while (r == 0 && !t->over && !t->app.quit)
		r = turn(t);
	return r;
}

int tui_run(const struct tui_options *o, const struct tui_link *link)
{
	struct tui_loop t = { .link = link, .signals_fd = -1 };
	struct tui_start start = o->start;
	_cleanup_close_ int signals_fd = -1;
	sigset_t before;
	bool ascii;
	int r;

	weir_text_init();
	signals_fd = signals_open(&before);
	if (signals_fd < 0)
		return signals_fd;
	t.signals_fd = signals_fd;
	r = tui_screen_open(o->color, &ascii);
	if (r == 0) {
		start.now_ns = t.next_ns = weir_mono_ns();
		start.look.ascii = t.ascii = o->ascii || ascii;
		if (start.look.ascii)
			weir_words_set(WEIR_LANGUAGE_EN); /* others cannot be written in it */
		r = tui_app_init(&t.app, &start);
	}
	if (r == 0) {
		tui_screen_mouse(t.app.mouse);
		r = loop(&t);
		tui_app_done(&t.app);
	}
	tui_screen_close();
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (t.quit_signal)
		(void)raise(t.quit_signal);
	return r;
}

int tui_wait_for(const struct tui_options *o, const char *what)
{
	unsigned rows, columns;
	struct tui_grid g;
	bool ascii;
	int r;

	weir_text_init();
	r = tui_screen_open(o->color, &ascii);
	if (r < 0)
		return r;
	tui_screen_size(&rows, &columns);
	r = tui_grid_init(&g, rows, columns, o->ascii || ascii);
	if (r < 0) {
		tui_screen_close();
		return r;
	}
	tui_grid_text(&g, 0, 0, columns, what, TUI_BOLD);
	tui_screen_show(&g);
	tui_grid_done(&g);
	return 0;
}

void tui_leave(void)
{
	tui_screen_close();
}
