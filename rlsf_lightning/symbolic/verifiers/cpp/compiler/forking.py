"""A library in C that makes a compiler process of g++ (``cc1plus``) fork for each text, with the headers loaded already.

It is preloaded, and takes the place of ``open``. When the compiler has read the headers and opens ``./lined``, the last file
that it is told to include, it answers requests instead: a process of its own goes on with each text, as if that had stood in
the file. What the headers ask for at the end of every text, the instantiation of the templates that their own functions use,
takes most of the time of a short program, and is done before too, and so are the tables of what the processor can do, where
the compiler exports the functions that do it.

Requests come on file 3 as a size and that many bytes, answers go to file 4: exit status as of ``waitpid``, then size and bytes
of what was printed and of the assembly. The first answer, a 1, says that the compiler is ready. Sizes are ``long``; a negative
one asks for the first error alone, as ``-Wfatal-errors`` does: the compiler flushes an error's text twice, and ends there.
"""

#: Seconds of processor time of one text.
COMPILE_SECONDS = 10

FORKING = (
    f"enum {{ SECONDS = {COMPILE_SECONDS} }};"
    r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int opening(const char *, int, ...);
static opening *usual;
static int is_served, errors_end, flushed;

static int take(int file, char *to, long size) {
  for (ssize_t got; size > 0; to += got, size -= got)
    if ((got = read(file, to, size)) <= 0) return 0;
  return 1;
}

static void give(int file, const char *from, long size) {
  for (ssize_t put; size > 0; from += put, size -= put)
    if ((put = write(file, from, size)) <= 0) _exit(3);
}

static void give_number(long number) { give(4, (char *)&number, sizeof number); }

static void give_file(int file) {
  struct stat about;
  fstat(file, &about);
  char *text = malloc(about.st_size + 1);
  if (!text || lseek(file, 0, SEEK_SET) || !take(file, text, about.st_size)) _exit(3);
  give_number(about.st_size);
  give(4, text, about.st_size);
  free(text);
  close(file);
}

static int fresh(const char *name) {
  unlink(name);
  int file = usual(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) _exit(3);
  return file;
}

/* Under its own name for the lines that the compiler shows, and to be read with that name. */
static void write_program(const char *text, long size) {
  const char named[] = "#line 1 \"program.cpp\"\n";
  int program = fresh("program.cpp"), lined = fresh("lined");
  give(program, text, size);
  give(lined, named, sizeof named - 1);
  give(lined, text, size);
  close(program), close(lined);
}

/* Returns once for each text, in a process of its own. */
static void serve(void) {
  struct rlimit bound = {SECONDS, SECONDS + 1};
  give_number(1);
  for (long size; take(3, (char *)&size, sizeof size);) {
    errors_end = size < 0;
    size = labs(size);
    char *text = malloc(size + 1);
    if (!text || !take(3, text, size)) _exit(3);
    write_program(text, size);
    free(text);
    int printed = fresh("printed"), made = fresh("made"), status;
    pid_t child = fork();
    if (child == 0) {
      setrlimit(RLIMIT_CPU, &bound);
      dup2(made, 1), dup2(printed, 2);
      close(3), close(4);
      return;
    }
    if (child < 0 || waitpid(child, &status, 0) != child) _exit(3);
    give_number(status);
    give_file(printed);
    give_file(made);
  }
  _exit(0);
}

static void call(const char *name, int argument) {
  void (*function)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, name);
  if (function) function(argument);
}

int fflush(FILE *file) {
  static int (*usual_flush)(FILE *);
  struct stat about;
  if (!usual_flush) usual_flush = (int (*)(FILE *))dlsym(RTLD_NEXT, "fflush");
  int failed = usual_flush(file);
  if (errors_end && file == stderr && !fstat(2, &about) && about.st_size && ++flushed == 2) _exit(1);
  return failed;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  if (!usual) usual = (opening *)dlsym(RTLD_NEXT, "open");
  if (!is_served && !strcmp(path, "./lined")) {
    is_served = 1;
    call("_Z29instantiate_pending_templatesi", 0);
    call("_Z14initialize_rtlv", 0);
    serve();
  }
  return usual(path, flags, mode);
}
"""
)
