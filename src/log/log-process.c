/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "log/log-process.h"

#define PROC_SIZE_MAX 65536

/* The words of a list with NULs become one text. */
static void write_command_line(FILE *file, int dir_fd) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        if (file_read(dir_fd, "cmdline", PROC_SIZE_MAX, &text, &size) < 0 || size == 0)
                return;
        for (size_t i = 0; i + 1 < size; i++)
                if (text[i] == '\0')
                        text[i] = ' ';
        text_tame(text);
        (void)fprintf(file, "_CMDLINE=%s\n", text);
}

static void write_name(FILE *file, int dir_fd) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        if (file_read(dir_fd, "comm", PROC_SIZE_MAX, &text, &size) < 0)
                return;
        if (size > 0 && text[size - 1] == '\n')
                text[size - 1] = '\0';
        text_tame(text);
        (void)fprintf(file, "_COMM=%s\n", text);
}

static void write_program(FILE *file, int dir_fd) {
        char path[4096];

        const ssize_t n = readlinkat(dir_fd, "exe", path, sizeof(path) - 1);
        if (n <= 0)
                return;
        path[n] = '\0';
        text_tame(path);
        (void)fprintf(file, "_EXE=%s\n", path);
}

/* Lines of "status": the first number behind the name. */
static void write_status(FILE *file, int dir_fd) {
        static const struct {
                const char *line, *field;
        } rows[] = { { "\nUid:\t", "_UID" }, { "\nGid:\t", "_GID" }, { "\nCapEff:\t", "_CAP_EFFECTIVE" } };
        _cleanup_(freep) char *text = NULL;
        size_t size;

        if (file_read(dir_fd, "status", PROC_SIZE_MAX, &text, &size) < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *value = strstr(text, rows[i].line);

                if (!value)
                        continue;
                value += strlen(rows[i].line);
                /* Capabilities are written without zeros in front. */
                if (i == 2)
                        value += MIN(strspn(value, "0"), strcspn(value, "\n") - 1);
                (void)fprintf(file, "%s=%.*s\n", rows[i].field, (int)strcspn(value, "\t\n"), value);
        }
}

int log_process_write(FILE *file, pid_t pid) {
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        char path[32];

        if (pid == 0)
                pid = getpid();
        (void)fprintf(file, "_PID=%d\n", (int)pid);
        (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return 0; /* it has ended */
        write_status(file, dir_fd);
        write_name(file, dir_fd);
        write_program(file, dir_fd);
        write_command_line(file, dir_fd);
        return 0;
}
