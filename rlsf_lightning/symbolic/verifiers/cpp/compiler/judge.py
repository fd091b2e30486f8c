"""The C program that runs a program on its tests, each in a process of its own, with all the processes that this starts.

Called as ``judge tests seconds memory stack output wall``: ``./program`` gets the files ``in.0``, ``in.1`` ... Printed are, for
each test that is run, a line with exit code and size and then the output; at last a line ``end``. A test uses at most
``seconds`` of processor time, and no more than that together with its descendants, the reaped ones included. What it leaves
behind has ``GRACE_MS`` to end. All of it is killed before the next test; after a test that is too slow, or one of whose
processes there is something to complain of, no other is run.

In a process namespace of its own it takes the place of the first process: there no signal of the program reaches it, all
orphans become its children, and one signal reaches all of them at once, so that nothing can fork away. Elsewhere it adopts
orphans as a subreaper, and kills until there is none left. Without ``/proc`` only the processor time of reaped descendants
is known, and of what is alive the wall time is the only bound.
"""

#: Exit codes that no program can have: too much processor time with its descendants, too many of them, some left behind.
TOGETHER_TOO_SLOW, TOO_MANY, LEFT_BEHIND = 256, 257, 258
#: Living processes, which a program that starts them without end has reached after a few milliseconds.
MOST_PROCESSES = 24
#: Milliseconds for what a program leaves behind.
GRACE_MS = 500
#: Milliseconds of the first look at the processes; later ones have five times as long between them.
_LOOK_MS = 20

JUDGE = (
    f"enum {{ TOGETHER_TOO_SLOW = {TOGETHER_TOO_SLOW}, TOO_MANY = {TOO_MANY}, LEFT_BEHIND = {LEFT_BEHIND}, "
    f"MOST_PROCESSES = {MOST_PROCESSES}, GRACE_MS = {GRACE_MS}, LOOK_MS = {_LOOK_MS} }};"
    r"""
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SEEN = 4096, WALL_ENDED = 124 };
struct process { pid_t pid, parent; long own, ticks; char state; int is_ours; };
/* Of the test that runs, in milliseconds: used by descendants that are reaped, before it began; used by those that were
   looked at; for how long they have been idle; when they were last looked at, and when the program itself ended. */
struct test { long reaped_before, looked, idle, looked_at, ended_at; int several; };
static struct process seen[MOST_SEEN], earlier[MOST_PROCESSES];
static int seen_count, earlier_count;
static long seconds, memory, stack, output, wall;

static long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static long reaped_ms(void) {
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static void limit(int what, long soft, long hard) {
  struct rlimit bound = {soft, hard};
  setrlimit(what, &bound);
}

/* Of one process: its parent, its own time, and that with the children that it waited for. */
static int read_process(const char *name, struct process *found) {
  char path[64], text[512];
  long own, system, children, their_system;
  snprintf(path, sizeof path, "/proc/%s/stat", name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0) return 0;
  text[size] = 0;
  char *behind = strrchr(text, ')');
  if (!behind || sscanf(behind + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld", &found->state,
                        &found->parent, &own, &system, &children, &their_system) != 6) return 0;
  found->pid = atoi(name);
  found->own = own + system;
  found->ticks = found->own + children + their_system;
  found->is_ours = 0;
  return 1;
}

/* Marks the descendants of this process; returns how many there are. Ticks are what they used. */
static int look(long *ticks) {
  DIR *folder = opendir("/proc");
  int count = 0, more = 1;
  *ticks = seen_count = 0;
  if (!folder) return 0;
  for (struct dirent *entry; (entry = readdir(folder)) && seen_count < MOST_SEEN;)
    if (isdigit((unsigned char)entry->d_name[0])) seen_count += read_process(entry->d_name, &seen[seen_count]);
  closedir(folder);
  while (more) {
    more = 0;
    for (int i = 0; i < seen_count; i++) {
      if (seen[i].is_ours) continue;
      int is_ours = seen[i].parent == getpid();
      for (int j = 0; j < seen_count && !is_ours; j++) is_ours = seen[j].is_ours && seen[j].pid == seen[i].parent;
      if (is_ours) seen[i].is_ours = more = 1, count++, *ticks += seen[i].ticks;
    }
  }
  return count;
}

/* Ends and reaps all descendants. A process that is being killed cannot fork, so that one signal to all of a namespace
   is enough; where they are looked up, those that they started meanwhile are found by looking again. */
static void kill_all(pid_t main) {
  long ticks;
  for (;;) {
    if (getpid() == 1) kill(-1, SIGKILL);
    else {
      kill(-main, SIGKILL);
      look(&ticks);
      for (int i = 0; i < seen_count; i++) if (seen[i].is_ours) kill(seen[i].pid, SIGKILL);
    }
    pid_t ended;
    while ((ended = waitpid(-1, 0, WNOHANG)) > 0) {}
    if (ended < 0) return;
    struct timespec briefly = {0, 500000};
    nanosleep(&briefly, 0);
  }
}

static void start(int in, int out, const sigset_t *usual) {
  setpgid(0, 0);
  int none = open("/dev/null", O_WRONLY);
  dup2(in, 0), dup2(out, 1), dup2(none, 2);
  close(none);
  limit(RLIMIT_CPU, seconds, seconds + 1), limit(RLIMIT_AS, memory, memory), limit(RLIMIT_STACK, stack, stack);
  limit(RLIMIT_FSIZE, output, output);
  personality(ADDR_NO_RANDOMIZE);
  sigprocmask(SIG_SETMASK, usual, 0);
  execl("./program", "./program", (char *)0);
  _exit(127);
}

/* Ticks that the descendants themselves used since the last look: nobody counts those that nobody waits for. */
static long ticks_since(void) {
  long ticks = 0;
  int count = 0;
  for (int i = 0; i < seen_count; i++) {
    if (!seen[i].is_ours) continue;
    ticks += seen[i].own;
    for (int j = 0; j < earlier_count; j++) if (earlier[j].pid == seen[i].pid) ticks -= earlier[j].own;
    if (count < MOST_PROCESSES) seen[count++] = seen[i];
  }
  memcpy(earlier, seen, count * sizeof *seen);
  earlier_count = count;
  return ticks;
}

/* Whether none of several descendants works or waits for a processor, or the only one is stopped. */
static int idles(int several) {
  for (int i = 0; i < seen_count; i++) {
    if (!seen[i].is_ours) continue;
    if (seen[i].state == 'R' || seen[i].state == 'D') return 0;
    several |= seen[i].state == 'T' || seen[i].state == 't';
  }
  return several;
}

/* What is wrong with the processes of a test that runs, or 0. */
static int fault(struct test *test) {
  long ticks, a_tick = 1000 / sysconf(_SC_CLK_TCK), now = now_ms();
  int count = look(&ticks);
  test->several |= count > 1;
  long used = ticks * a_tick + reaped_ms() - test->reaped_before;
  test->looked += ticks_since() * a_tick;
  test->idle = idles(test->several) ? test->idle + now - test->looked_at : 0;
  test->looked_at = now;
  int is_slow = used > 1000 * seconds || test->looked > 1000 * seconds || test->idle > 1000 * seconds;
  if (test->ended_at && (now - test->ended_at > GRACE_MS || count >= MOST_PROCESSES)) return LEFT_BEHIND;
  if (count >= MOST_PROCESSES) return TOO_MANY;
  if (is_slow && (test->several || test->idle)) return test->ended_at ? LEFT_BEHIND : TOGETHER_TOO_SLOW;
  return 0;
}

static int run(int in, int out, const sigset_t *usual, const sigset_t *ends) {
  long begun = now_ms(), next = begun + LOOK_MS;
  struct test test = {.reaped_before = reaped_ms(), .looked_at = begun};
  int status, code = -1, found = 0;
  earlier_count = 0;
  pid_t child = fork(), ended;
  if (child < 0) return 126;
  if (child == 0) start(in, out, usual);
  while (!found) {
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      test.several |= ended != child;
      if (ended != child) continue;
      code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      test.ended_at = now_ms();
    }
    if (ended < 0 || code > 0) break;  /* it failed by itself, whatever it left */
    long now = now_ms();
    if (now >= next) found = fault(&test), next = now + 5 * LOOK_MS;
    if (!found && now - begun > 1000 * wall) found = test.several ? TOGETHER_TOO_SLOW : WALL_ENDED;
    long rest = next > now ? next - now : 1;
    struct timespec time = {rest / 1000, rest % 1000 * 1000000};
    if (!found) sigtimedwait(ends, 0, &time);
  }
  kill_all(child);
  return found ? found : code;
}

static void print(int code, int out) {
  struct stat about;
  off_t at = 0;
  fstat(out, &about);
  printf("%d %ld\n", code, (long)about.st_size);
  fflush(stdout);
  while (at < about.st_size && sendfile(1, out, &at, about.st_size - at) > 0) {}
  /* what could not be copied is filled up, so that the size is right */
  for (; at < about.st_size; at++) putchar(0);
  fflush(stdout);
}

int main(int count, char **given) {
  if (count != 7) return 2;
  int tests = atoi(given[1]);
  seconds = atol(given[2]), memory = atol(given[3]), stack = atol(given[4]), output = atol(given[5]), wall = atol(given[6]);
  prctl(PR_SET_CHILD_SUBREAPER, 1), prctl(PR_SET_DUMPABLE, 0);
  sigset_t ends, usual;
  sigemptyset(&ends), sigaddset(&ends, SIGCHLD), sigprocmask(SIG_BLOCK, &ends, &usual);
  for (int test = 0; test < tests; test++) {
    char name[32];
    sprintf(name, "in.%d", test);
    int in = open(name, O_RDONLY | O_CLOEXEC);
    unlink("out");
    int out = open("out", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (in < 0 || out < 0) return 3;
    int code = run(in, out, &usual, &ends);
    print(code, out);
    close(in), close(out);
    if (code == WALL_ENDED || code == 128 + SIGKILL || code == 128 + SIGXCPU || code >= 256) break;
  }
  puts("end");
  return 0;
}
"""
)
