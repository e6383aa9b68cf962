/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A library for $LD_PRELOAD that kills the program at a point of its work: when it has called, for the time that $KILL_AT says,
 * one of the functions by which things get to their places; or just before, if the number is negative. Children are not
 * killed, nor do they count. The number of calls so far is written to the file that $KILL_LOG names, if it ends in peace. */

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/types.h>
#include <unistd.h>

static long calls, kill_at;
static pid_t program;
static char log_path[4096];

__attribute__((constructor)) static void begin(void) {
        const char *number = getenv("KILL_AT"), *path = getenv("KILL_LOG");

        program = getpid();
        kill_at = number ? strtol(number, NULL, 10) : 0;
        if (path)
                (void)snprintf(log_path, sizeof(log_path), "%s", path);
        /* What the program runs is left alone. */
        (void)unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void) {
        FILE *file = log_path[0] && getpid() == program ? fopen(log_path, "w") : NULL;

        if (file) {
                (void)fprintf(file, "%ld\n", calls);
                (void)fclose(file);
        }
}

static void before(void) {
        if (getpid() == program && ++calls == -kill_at)
                (void)kill(program, SIGKILL);
}

static void after(void) {
        if (getpid() == program && calls == kill_at)
                (void)kill(program, SIGKILL);
}

#define FOLLOW(name, types, ...)                            \
        do {                                                \
                int(*next) types = dlsym(RTLD_NEXT, #name); \
                before();                                   \
                const int r = next(__VA_ARGS__);            \
                after();                                    \
                return r;                                   \
        } while (0)

int rename(const char *from, const char *to) {
        FOLLOW(rename, (const char *, const char *), from, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
        FOLLOW(renameat, (int, const char *, int, const char *), from_fd, from, to_fd, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        FOLLOW(renameat2, (int, const char *, int, const char *, unsigned), from_fd, from, to_fd, to, flags);
}

int syncfs(int fd) {
        FOLLOW(syncfs, (int), fd);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
        FOLLOW(mount, (const char *, const char *, const char *, unsigned long, const void *), source, target,
               type, flags, data);
}

int umount2(const char *target, int flags) {
        FOLLOW(umount2, (const char *, int), target, flags);
}
