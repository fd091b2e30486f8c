"""The C program that runs many changed versions of a program on its tests, each run in a process of its own.

Called as ``program tests first bytes steps all_steps``: the numbers of versions that pass all tests are printed. The test
``first`` comes first: most versions fail it, and are not run again. A run ends after ``steps`` basic blocks of its code, all
runs together after ``all_steps``: counted, not timed, so that the same versions pass on every machine. Versions that do
not end within a tenth of ``steps`` are run again when all others are done. What has to be stopped by the clock (it sleeps,
say, in no block) counts as a quarter of ``all_steps``. Wanted outputs are read before a version runs, and their files
removed.
"""

RUNNER = r"""
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct version { int number; int (*start)(int, char **); };
extern const struct version rlsf_versions[];
extern const int rlsf_versions_count;
extern char __data_start, _end;

static long *steps, most_steps, left, dear;
static volatile int counting;
static rlim_t memory, output;

void __sanitizer_cov_trace_pc(void) { if (counting && ++*steps > most_steps) _exit(124); }

static void limit(int what, rlim_t most) {
  struct rlimit bound = {most, most};
  setrlimit(what, &bound);
}

static char *whole(const char *name) {
  FILE *file = fopen(name, "r");
  if (!file) return strdup("");
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *text = malloc(size + 1);
  text[fread(text, 1, size, file)] = 0;
  fclose(file);
  return text;
}

static int same_words(const char *one, const char *other) {
  for (;;) {
    while (isspace((unsigned char)*one)) one++;
    while (isspace((unsigned char)*other)) other++;
    if (!*one || !*other) return !*one && !*other;
    while (*one && !isspace((unsigned char)*one)) if (*one++ != *other++) return 0;
    if (*other && !isspace((unsigned char)*other)) return 0;
  }
}

static void run(const struct version *version, int test) {
  char name[32], *arguments[] = {"program", 0};
  sprintf(name, "in.%d", test);
  int in = open(name, O_RDONLY), out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  int none = open("/dev/null", O_WRONLY);
  setpgid(0, 0);
  dup2(in, 0), dup2(out, 1), dup2(none, 2);
  close(in), close(out), close(none);
  limit(RLIMIT_CORE, 0), limit(RLIMIT_CPU, 1), limit(RLIMIT_FSIZE, output), limit(RLIMIT_AS, memory);
  alarm(5);
  *steps = 0;
  counting = 1;
  exit(version->start(1, arguments));
}

static int by_the_clock(int status) {
  int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return number == SIGALRM || number == SIGKILL || number == SIGXCPU;
}

enum outcome { FAILED, PASSED, ENDLESS };

static enum outcome try(const struct version *version, int test, const char *wanted) {
  int status;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) run(version, test);
  if (child < 0) return FAILED;
  waitpid(child, &status, 0);
  kill(-child, SIGKILL);
  left -= *steps;
  if (by_the_clock(status)) left -= dear;
  if (*steps > most_steps) return ENDLESS;
  if (!WIFEXITED(status) || WEXITSTATUS(status)) return FAILED;
  char *text = whole("out");
  int same = same_words(wanted, text);
  free(text);
  return same ? PASSED : FAILED;
}

int main(int count, char **given) {
  if (count != 6) return 2;
  int tests = atoi(given[1]), first = atoi(given[2]);
  char *wanted[tests], name[32];
  for (int test = 0; test < tests; test++) {
    sprintf(name, "want.%d", test);
    wanted[test] = whole(name);
    output = output < strlen(wanted[test]) ? strlen(wanted[test]) : output;
    unlink(name);
  }
  output += 4096;
  memory = atol(given[3]) + (&_end - &__data_start) + (64 << 20);
  left = atol(given[5]);
  dear = left / 4;
  steps = mmap(0, sizeof *steps, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  limit(RLIMIT_STACK, 64 << 20);
  enum outcome outcomes[rlsf_versions_count + 1];
  for (int again = 0; again < 2; again++) {
    most_steps = atol(given[4]) / (again ? 1 : 10);
    for (int i = 0; i < rlsf_versions_count && left > 0; i++) {
      if (again && outcomes[i] != ENDLESS) continue;
      outcomes[i] = PASSED;
      for (int at = -1; at < tests && outcomes[i] == PASSED; at++) {
        if (at == first) continue;
        outcomes[i] = try(&rlsf_versions[i], at < 0 ? first : at, wanted[at < 0 ? first : at]);
      }
      if (outcomes[i] == PASSED) printf("%d\n", rlsf_versions[i].number);
    }
  }
  fflush(stdout);
  _exit(0);
}
"""
