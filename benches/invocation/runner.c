// Starts programs one after the other, or many at once, and writes what the
// kernel says of each: wall and CPU time, page faults, resident memory. It is
// small, because the kernel counts what a process was before exec as its own.
//
//   runner rounds COUNT FILE    each program of FILE once a round, in an order
//                               of its own each time: what ran before decides
//                               what is in the caches
//   runner burst COUNT FILE     COUNT processes of the one program in FILE
//
// FILE has a block for each program, its lines ended by an empty one:
// standard input, then the variables that it is started with, each as =NAME=VALUE,
// then the program and its arguments. A line of output for each process:
// round or moment of its start in us, program, wall ns, CPU us, faults, KiB, exit
// status.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAMS = 64, WORDS = 64, LINE = 4096, MOST = 4096 };

struct program {
    char *stdin_path, *environment[WORDS], *arguments[WORDS];
};

static struct program programs[PROGRAMS];
static int count;

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static void read_programs(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    static char line[LINE];
    struct program *program = NULL;
    int variables = 0, arguments = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!*line) {
            program = NULL;
        } else if (!program) {
            if (count == PROGRAMS) exit(2);
            program = &programs[count++];
            variables = arguments = 0;
            program->stdin_path = strdup(line);
        } else if (*line == '=') {
            program->environment[variables++] = strdup(line + 1);
        } else {
            program->arguments[arguments++] = strdup(line);
        }
        if (variables >= WORDS - 1 || arguments >= WORDS - 1) exit(2);
    }
    fclose(file);
}

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static pid_t start(struct program *program) {
    int in = open(program->stdin_path, O_RDONLY | O_CLOEXEC);
    if (in < 0) fail(program->stdin_path);
    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        dup2(in, 0);
        execve(program->arguments[0], program->arguments, program->environment);
        _exit(127);
    }
    close(in);
    return child;
}

static void report(long when, int program, long wall, int status, struct rusage *used) {
    long cpu = (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000L + used->ru_utime.tv_usec + used->ru_stime.tv_usec;
    int exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(stderr, "%ld %d %ld %ld %ld %ld %d\n", when, program, wall, cpu, used->ru_minflt + used->ru_majflt, used->ru_maxrss, exit_status);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int times = atoi(argv[2]);
    read_programs(argv[3]);
    struct rusage used;
    int status;
    // Not written while anything is measured.
    static char buffer[1 << 22];
    setvbuf(stderr, buffer, _IOFBF, sizeof buffer);
    int sink = open("/dev/null", O_WRONLY);
    dup2(sink, 1);
    if (strcmp(argv[1], "rounds") == 0) {
        int order[PROGRAMS];
        for (int i = 0; i < count; i++) order[i] = i;
        for (int round = 0; round < times; round++) {
            for (int i = 0; i < count; i++) {
                int other = i + rand() % (count - i), program = order[other];
                order[other] = order[i];
                order[i] = program;
                long started = now();
                start(&programs[program]);
                if (wait4(-1, &status, 0, &used) < 0) fail("wait4");
                report(round, program, now() - started, status, &used);
            }
        }
        return 0;
    }
    static pid_t children[MOST];
    static long started[MOST];
    if (times > MOST) return 2;
    for (int i = 0; i < times; i++) {
        started[i] = now();
        children[i] = start(&programs[0]);
    }
    for (int left = times; left > 0; left--) {
        pid_t child = wait4(-1, &status, 0, &used);
        long ended = now();
        for (int i = 0; i < times; i++)
            if (children[i] == child) report((started[i] - started[0]) / 1000, 0, ended - started[i], status, &used);
    }
    return 0;
}
