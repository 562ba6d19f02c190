// SPDX-License-Identifier: GPL-2.0-or-later
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCENE_LIMIT_MS 10000

enum proc_state { PROC_FREE, PROC_RUNNING, PROC_JOINING, PROC_STOPPED, PROC_GONE };
enum stage { STAGE_START, STAGE_PAUSED, STAGE_HELD };

struct proc {
	_Atomic int32_t pid;
	_Atomic uint32_t state;
	_Atomic uint32_t stage; /* where it has stopped */
};

struct memory {
	size_t size;
	uint32_t max_truths;
	_Atomic uint32_t n_truths;
	_Atomic uint32_t n_procs;
	_Atomic uint32_t stage; /* a futex: the stage that has been left */
	_Atomic uint32_t failed, skipped;
	_Atomic uint32_t told; /* somebody has written the reason, or does so now */
	char reason[256];
	char text[SCENE_TEXT];
	sem_t sem[SCENE_SEMS];
	_Atomic uint64_t number[SCENE_NUMBERS];
	struct proc procs[SCENE_PROCS];
	struct truth truths[];
};

struct scene_options scene_options;

static uint64_t limit_ms = SCENE_LIMIT_MS;
static struct memory *memory;
static int memory_fd = -1;
static struct proc *self; /* NULL in the coordinator */

/* The children of this very process. */
static struct child {
	pid_t pid;
	struct proc *proc;
	bool may_die;
} children[SCENE_PROCS];
static unsigned n_children;

/* --- time and names -------------------------------------------------------------------------- */

uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void sleep_ms(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

void set_process_name(const char *name)
{
	prctl(PR_SET_NAME, scene_options.name ? scene_options.name : name);
}

/* --- shared memory --------------------------------------------------------------------------- */

int scene_init(size_t n_truths)
{
	size_t size = sizeof(struct memory) + n_truths * sizeof(struct truth);
	const char *patience = getenv("WEIR_PATIENCE"); /* how many times longer things may take */
	int fd = memfd_create("scene", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0)
		return -errno;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	memory_fd = fd;
	memory->size = size;
	memory->max_truths = (uint32_t)n_truths;
	if (patience && atoi(patience) > 1)
		limit_ms = SCENE_LIMIT_MS * (uint64_t)atoi(patience);
	scene_reset();
	return 0;
}

void scene_reset(void)
{
	memset(memory->truths, 0, scene_truths() * sizeof(struct truth));
	memset((char *)memory + offsetof(struct memory, n_truths), 0,
	       offsetof(struct memory, truths) - offsetof(struct memory, n_truths));
	for (int i = 0; i < SCENE_SEMS; i++)
		sem_init(&memory->sem[i], 1, 0);
	n_children = 0;
}

int scene_memory_fd(void)
{
	return memory_fd;
}

int scene_adopt(int fd)
{
	size_t size;

	if (pread(fd, &size, sizeof(size), offsetof(struct memory, size)) != sizeof(size))
		return -EBADF;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	memory_fd = fd;
	for (unsigned i = 0; i < SCENE_PROCS; i++)
		if (memory->procs[i].pid == getpid() && memory->procs[i].state != PROC_GONE)
			self = &memory->procs[i];
	return 0;
}

struct truth *scene_truth_new(void)
{
	uint32_t i = memory->n_truths++;

	if (i >= memory->max_truths)
		scene_fail("more than %u truths", memory->max_truths);
	return &memory->truths[i];
}

unsigned scene_truths(void)
{
	uint32_t n = memory->n_truths;

	return n < memory->max_truths ? n : memory->max_truths;
}

struct truth *scene_truth_at(unsigned i)
{
	return &memory->truths[i];
}

unsigned scene_truth_index(const struct truth *t)
{
	return (unsigned)(t - memory->truths);
}

_Atomic uint64_t *scene_number(unsigned i)
{
	return &memory->number[i];
}

char *scene_text(void)
{
	return memory->text;
}

void scene_await_number(unsigned i, uint64_t at_least)
{
	for (unsigned n = 0; memory->number[i] < at_least; n++) {
		if (memory->failed)
			_exit(1);
		usleep(n < 100 ? 20 : 500);
	}
}

void scene_post(unsigned sem)
{
	sem_post(&memory->sem[sem]);
}

void scene_await(unsigned sem)
{
	while (sem_wait(&memory->sem[sem]) < 0)
		if (errno != EINTR)
			scene_fail("sem_wait: %s", strerror(errno));
}

/* --- failing --------------------------------------------------------------------------------- */

/* The first reason counts. It is written before the flag that makes others look at it. */
static void say(const char *fmt, va_list ap)
{
	char text[sizeof(memory->reason)];
	char comm[16] = "";

	if (atomic_exchange(&memory->told, 1))
		return;
	prctl(PR_GET_NAME, comm);
	vsnprintf(text, sizeof(text), fmt, ap);
	snprintf(memory->reason, sizeof(memory->reason), "%s: %.*s", comm,
		 (int)sizeof(memory->reason) - 20, text);
}

void scene_fault(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	memory->failed = 1;
}

void scene_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	memory->failed = 1;
	_exit(1);
}

void scene_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	memory->skipped = 1;
	_exit(0);
}

const char *scene_failure(void)
{
	return memory->failed ? memory->reason : NULL;
}

const char *scene_skipped(void)
{
	return memory->skipped ? memory->reason : NULL;
}

long must(long ret, const char *what)
{
	if (ret < 0)
		scene_fail("%s: %s", what, strerror(errno));
	return ret;
}

/* --- processes ------------------------------------------------------------------------------- */

static void become(const char *name, struct proc *p, pid_t parent)
{
	self = p;
	n_children = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	set_process_name(name);
}

static pid_t clone_with_pid(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&pid,
		.set_tid_size = pid ? 1 : 0,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

pid_t scene_spawn_pid(const char *name, void (*fn)(void *), void *arg, pid_t wanted)
{
	unsigned slot = memory->n_procs++;
	pid_t parent = getpid(), pid;
	struct proc *p;

	if (slot >= SCENE_PROCS || n_children >= SCENE_PROCS)
		scene_fail("more than %d processes", SCENE_PROCS);
	p = &memory->procs[slot];
	p->state = PROC_RUNNING;
	fflush(stdout);
	pid = wanted ? clone_with_pid(wanted) : fork();
	if (pid < 0)
		scene_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		become(name, p, parent);
		p->pid = getpid();
		fn(arg);
		_exit(0);
	}
	p->pid = pid;
	children[n_children++] = (struct child){ .pid = pid, .proc = p };
	return pid;
}

pid_t scene_spawn(const char *name, void (*fn)(void *), void *arg)
{
	return scene_spawn_pid(name, fn, arg, 0);
}

void scene_may_die(pid_t pid)
{
	for (unsigned i = 0; i < n_children; i++)
		if (children[i].pid == pid)
			children[i].may_die = true;
}

static void child_gone(struct child *c, int status)
{
	c->proc->state = PROC_GONE;
	if (!c->may_die && WIFSIGNALED(status))
		scene_fault("process %d was ended by signal %d", c->pid, WTERMSIG(status));
	else if (!c->may_die && WEXITSTATUS(status))
		scene_fault("process %d ended with status %d", c->pid, WEXITSTATUS(status));
	*c = children[--n_children];
}

int scene_wait(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0)
		scene_fail("waitpid: %s", strerror(errno));
	for (unsigned i = 0; i < n_children; i++)
		if (children[i].pid == pid) {
			child_gone(&children[i], status);
			break;
		}
	return status;
}

void scene_join(void)
{
	if (self)
		self->state = PROC_JOINING;
	while (n_children)
		scene_wait(children[0].pid);
	if (self)
		self->state = PROC_RUNNING;
}

static void reap(void)
{
	for (unsigned i = 0; i < n_children;) {
		int status;

		if (waitpid(children[i].pid, &status, WNOHANG) == children[i].pid)
			child_gone(&children[i], status);
		else
			i++;
	}
}

void scene_kill(void)
{
	for (unsigned i = 0; i < n_children; i++) {
		children[i].may_die = true;
		kill(children[i].pid, SIGKILL);
	}
	while (n_children)
		scene_wait(children[0].pid);
}

/* --- stages ---------------------------------------------------------------------------------- */

static void stop_at(uint32_t stage)
{
	uint32_t seen;

	if (!self)
		return;
	self->stage = stage;
	self->state = PROC_STOPPED;
	while ((seen = memory->stage) < stage)
		syscall(SYS_futex, &memory->stage, FUTEX_WAIT, seen, NULL, NULL, 0);
	self->state = PROC_RUNNING;
}

void scene_pause(void)
{
	if (scene_options.before)
		stop_at(STAGE_PAUSED);
}

void scene_hold(void)
{
	if (scene_options.hold)
		stop_at(STAGE_HELD);
}

void scene_in_call(bool on)
{
	self->stage = STAGE_HELD;
	self->state = on ? PROC_STOPPED : PROC_RUNNING;
}

static void leave(uint32_t stage)
{
	memory->stage = stage;
	syscall(SYS_futex, &memory->stage, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static bool all_stopped(uint32_t stage)
{
	uint32_t n = memory->n_procs;

	for (uint32_t i = 0; i < n && i < SCENE_PROCS; i++) {
		const struct proc *p = &memory->procs[i];

		if (p->state == PROC_FREE || p->state == PROC_RUNNING)
			return false;
		if (p->state == PROC_STOPPED && p->stage < stage)
			return false;
	}
	return true;
}

/* Until every process has stopped at the stage or gone; STAGE_HELD + 1: all gone. */
static int await_stage(uint32_t stage)
{
	uint64_t limit = mono_ns() + limit_ms * UINT64_C(1000000);

	for (;;) {
		reap();
		if (memory->failed || memory->skipped)
			return -1;
		if (n_children == 0 || (stage <= STAGE_HELD && all_stopped(stage)))
			return 0;
		if (mono_ns() > limit) {
			scene_fault("not done after %llu ms", (unsigned long long)limit_ms);
			return -1;
		}
		usleep(500);
	}
}

void scene_wait_for_line(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c = 0;

	if (scene_options.linger_ms) {
		sleep_ms(scene_options.linger_ms);
		return;
	}
	while (c != '\n') {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return;
		if (read(STDIN_FILENO, &c, 1) <= 0)
			return;
	}
}

static void keep_before(void)
{
	for (unsigned i = 0; i < scene_truths(); i++) {
		struct truth *t = &memory->truths[i];

		t->before_tx_bytes = (uint64_t)t->tx_bytes;
		t->before_rx_bytes = (uint64_t)t->rx_bytes;
	}
}

void scene_no_limit(void)
{
	limit_ms = UINT64_C(1) << 40;
}

int scene_direct(const char *case_name)
{
	int r = 0;

	if (scene_options.before) {
		r = await_stage(STAGE_PAUSED);
		if (r == 0) {
			keep_before();
			scene_print(case_name, "paused");
			scene_wait_for_line();
			leave(STAGE_PAUSED);
		}
	}
	if (r == 0 && scene_options.hold) {
		r = await_stage(STAGE_HELD);
		if (r == 0) {
			scene_print(case_name, "held");
			scene_wait_for_line();
			leave(STAGE_HELD);
		}
	}
	if (r == 0)
		r = await_stage(STAGE_HELD + 1);
	if (r < 0)
		scene_kill();
	reap();
	return memory->failed ? -1 : 0;
}
