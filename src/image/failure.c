/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/failure.h"
#include "image/output.h"

#define COMMAND_SIZE_MAX (256 * KIB)

void failure_tail_add(FailureTail *tail, const char *line) {
        /* Without memory for it a line is missing, no more. */
        if (text_replace(&tail->lines[tail->n_lines % FAILURE_TAIL_LINES], line) >= 0)
                tail->n_lines++;
}

void failure_tail_log(const FailureTail *tail) {
        const size_t first = tail->n_lines > FAILURE_TAIL_LINES ? tail->n_lines - FAILURE_TAIL_LINES : 0;

        for (size_t i = first; i < tail->n_lines; i++)
                log_error_detail("  %s", tail->lines[i % FAILURE_TAIL_LINES]);
}

void failure_tail_done(FailureTail *tail) {
        for (size_t i = 0; i < FAILURE_TAIL_LINES; i++)
                free(tail->lines[i]);
        *tail = (FailureTail){};
}

static const char *find_shell(const char *root) {
        static const char *const shells[] = { "/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh" };
        _cleanup_(fd_closep) int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; root_fd >= 0 && i < ELEMENTSOF(shells); i++) {
                _cleanup_(fd_closep) int fd = path_open_below(root_fd, shells[i], O_PATH, 0);

                if (fd >= 0)
                        return shells[i];
        }
        return NULL;
}

/* A shell with job control makes itself the owner of the terminal, and cannot always give it back. */
static void take_terminal_back(void) {
        sigset_t blocked, before;

        if (isatty(STDIN_FILENO) != 1)
                return;
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGTTOU);
        (void)sigprocmask(SIG_BLOCK, &blocked, &before);
        (void)tcsetpgrp(STDIN_FILENO, getpgrp());
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Returns a negative errno when there could be none. */
static int run_shell(const Image *image, const DistroCommand *command, const char *program) {
        const Installation installation = image_installation(image);
        const char *const argv[] = { program, NULL };
        _cleanup_(tool_log_done) ToolLog log = {};
        DistroCommand shell = *command;

        shell.argv = argv;
        shell.doing = "open a shell";
        shell.terminal = true;
        shell.on_line = NULL;
        const int r = distro_execute(&installation, &shell, &log);
        take_terminal_back();
        return MIN(r, 0);
}

int failure_shell(Image *image, const DistroCommand *command) {
        const char *program = find_shell(image->root_path);

        if (!program) {
                log_warning("There is no shell in %s: none is opened", image->root_path);
                return 0;
        }
        log_info("A shell where it failed; the build ends with it");
        return run_shell(image, command, program);
}

/* While the first packages are installed there is no shell, or none that runs. */
static int open_tool_shell(Image *image) {
        const char *program = find_shell(image->root_path);
        int r = -ENOENT;

        if (program) {
                log_info("A shell in the tree as it is, with the network; the build ends with it");
                r = run_shell(image, &(DistroCommand){ .network = true }, program);
        }
        if (r >= 0 || r == -EINTR)
                return r;
        log_info("A shell on the host's root, which is read-only, with the tree at " DISTRO_TREE
                 "; the build ends with it");
        return run_shell(
                image, &(DistroCommand){ .on_host = true, .network = true, .working_directory = DISTRO_TREE },
                "/bin/sh");
}

int failure_of_tool(Image *image, int r) {
        const Config *config = image->config;
        int more = 0;

        if (r >= 0 || r == -EINTR)
                return r;
        progress_end(image->progress, false);
        if (config->debug_shell)
                more = open_tool_shell(image);
        if (more != -EINTR && config->keep_failed)
                more = failure_keep_tree(image);
        if (more != -EINTR && !config->debug_shell)
                more = failure_hint();
        return more == -EINTR ? more : r;
}

int failure_tree_path(const Config *config, char **ret) {
        return text_format(ret, "%s.failed", config->output);
}

/* By way of the workspace, so that no half of one is left by who is killed meanwhile. */
static int keep_tree(const Image *image, const char *path, Reason *reason) {
        _cleanup_(freep) char *made = NULL;

        int r = path_join(image->workspace->path, "failed", &made);
        if (r >= 0)
                r = copy_tree(AT_FDCWD, image->root_path, made,
                              &(CopyTreeOptions){ .flags = COPY_TREE_OWNERS }, reason);
        /* What was kept before ends up in the workspace, and is removed with it. */
        return r < 0 ? r : output_publish(made, path, true);
}

int failure_keep_tree(Image *image) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *path = NULL;

        int r = failure_tree_path(image->config, &path);
        if (r < 0)
                return r;
        r = keep_tree(image, path, &reason);
        if (r < 0)
                return log_error(r, "Cannot keep the tree as %s: %s", path, reason_text(&reason, r));
        log_info("The tree is kept as %s", path);
        return 0;
}

int failure_quote_command(const char *const *words, const char *option, char **ret) {
        _cleanup_(strv_freep) char **quoted = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && words && words[i]; i++) {
                char *word;

                r = text_quote(words[i], &word);
                if (r >= 0)
                        r = strv_take(&quoted, word);
                if (r >= 0 && i == 0)
                        r = strv_append(&quoted, option);
        }
        return r < 0 ? r : strv_join(STRV(quoted), " ", ret);
}

int failure_hint(void) {
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(freep) char *list = NULL, *command = NULL;
        _cleanup_(fd_closep) int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        size_t size;

        if (fd < 0 || fd_read_file(fd, COMMAND_SIZE_MAX, &list, &size) < 0)
                return 0;
        for (size_t i = 0; i < size; i += strlen(list + i) + 1) {
                const int r = strv_append(&words, list + i);
                if (r < 0)
                        return r;
        }
        const int r = failure_quote_command(STRV(words), "--debug-shell", &command);
        if (r < 0)
                return r;
        log_info("To get a shell where it failed: %s", command);
        return 0;
}
