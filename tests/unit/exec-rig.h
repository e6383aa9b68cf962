/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The helper of services, run for real: in mounts, interprocess communication and a network of this process's own, with
 * nothing in /run, /var and /tmp, so that nothing of the host changes. Needs root. */

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-spawn.h"
#include "exec/exec-user.h"
#include "unit/exec-status.h"

#define RIG_REGISTRY "/run/registry"
#define RIG_RECORDS  "/run/records"
#define RIG_OUTPUT   "/run/output"
#define RIG_TMP      "/run/tmp"        /* of PrivateTmp= */
#define RIG_HELPER   "/run/mkosi-exec" /* a copy: where it was built may be out of sight */

#define RIG_HELPER_SIZE_MAX (256 * MIB)

/* Whether the rig could be made; without it tests are skipped. */
static inline int rig_enter(void **state) {
        static const char *const places[] = {
                "/run", "/var/lib", "/var/cache", "/var/log", "/var/tmp", "/tmp",
        };
        const char *helper = getenv("MKOSI_EXEC");
        _cleanup_(freep) char *program = NULL;
        static bool made;
        size_t size;

        if (made || geteuid() != 0)
                return 0;
        if (!helper || file_read(AT_FDCWD, helper, RIG_HELPER_SIZE_MAX, &program, &size) < 0)
                return -1;
        if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (mount("rig", places[i], "tmpfs", 0, "mode=0755") < 0)
                        return -1;
        if (chmod("/tmp", 01777) < 0 || chmod("/var/tmp", 01777) < 0 || mkdir(RIG_REGISTRY, 0755) < 0 ||
            mkdir(RIG_RECORDS, 0755) < 0 || mkdir(RIG_TMP, 0755) < 0 || chmod(RIG_TMP, 01777) < 0 ||
            file_write(AT_FDCWD, RIG_HELPER, program, size, 0755) < 0)
                return -1;
        /* Services get these from the helper. */
        (void)unsetenv("LANG");
        (void)unsetenv("TERM");
        made = true;
        *state = &made;
        return 0;
}

static inline void rig_need(void **state) {
        static const char *const root = RIG_REGISTRY;

        (void)state;
        if (access(root, F_OK) < 0) {
                print_message("this needs root, and mounts of its own\n");
                skip();
        }
}

/* What came of it. */
typedef struct RigResult {
        int exit; /* or 128 and the signal */
        ExecStatus user, failed;
        bool has_user, has_failed;
        unsigned n_warnings;
        char warning[512];
        char *output; /* what the program wrote to standard output */
} RigResult;

static inline void rig_result_done(RigResult *result) {
        free(result->output);
        *result = (RigResult){};
}

/* A program, with its settings; standard output goes to a file unless they say otherwise. */
typedef struct RigWish {
        const char *unit; /* NULL: "rig.service" */
        const char *const *settings;
        const char *const *argv;
        const char *const *environment;
        unsigned flags;
        int storage;
        const char *log;
        int standard[3];
        bool has_standard;
} RigWish;

static inline ExecContext rig_context(const RigWish *wish) {
        ExecContext context = { .descriptors = EXEC_DESCRIPTORS_NONE };
        bool has_output = false;

        assert_int_equal(text_copy(wish->unit ? wish->unit : "rig.service", &context.unit), 0);
        assert_int_equal(strv_append(&context.settings, "ExecStart=/bin/true"), 0);
        assert_int_equal(strv_extend(&context.settings, wish->settings), 0);
        for (const char *const *setting = wish->settings; setting && *setting; setting++)
                has_output = has_output || strncmp(*setting, "StandardOutput=", 15) == 0;
        if (!has_output)
                assert_int_equal(strv_append(&context.settings, "StandardOutput=truncate:" RIG_OUTPUT), 0);
        assert_int_equal(text_copy(wish->argv[0], &context.command.path), 0);
        assert_int_equal(strv_copy(wish->argv, &context.command.argv), 0);
        context.command.flags = wish->flags;
        assert_int_equal(strv_copy(wish->environment, &context.environment), 0);
        assert_int_equal(text_copy(RIG_REGISTRY, &context.registry), 0);
        assert_int_equal(text_copy(RIG_RECORDS, &context.user_records), 0);
        assert_int_equal(text_copy(wish->log, &context.log), 0);
        assert_int_equal(text_copy(RIG_TMP, &context.private_tmp), 0);
        assert_int_equal(text_copy(RIG_TMP, &context.private_var_tmp), 0);
        if (wish->storage > 0)
                context.descriptors.user = wish->storage;
        for (size_t i = 0; wish->has_standard && i < 3; i++)
                context.descriptors.standard[i] = wish->standard[i];
        return context;
}

static inline void rig_receive(int fd, RigResult *result) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        ExecStatus status;
        int r;

        for (;;) {
                assert_int_equal(poll(&wait, 1, -1), 1);
                r = exec_status_receive(fd, &status);
                if (r == -EAGAIN)
                        continue;
                assert_true(r >= 0);
                if (r == 0)
                        return;
                if (status.type == EXEC_STATUS_USER) {
                        result->user = status;
                        result->has_user = true;
                } else if (status.type == EXEC_STATUS_FAILED) {
                        result->failed = status;
                        result->has_failed = true;
                } else {
                        result->n_warnings++;
                        (void)snprintf(result->warning, sizeof(result->warning), "%s", status.text);
                }
        }
}

static inline RigResult rig_run(const RigWish *wish) {
        _cleanup_(exec_context_done) ExecContext context = rig_context(wish);
        _cleanup_(exec_child_done) ExecChild child = { .pid_fd = -EBADF, .status_fd = -EBADF };
        _cleanup_(reason_done) Reason reason = {};
        RigResult result = {};
        int status;

        (void)unlink(RIG_OUTPUT);
        const int r = exec_spawn(RIG_HELPER, &EXEC_GROUPS_NONE, &context, &child, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        rig_receive(child.status_fd, &result);
        assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
        result.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (file_read(AT_FDCWD, RIG_OUTPUT, 1024 * 1024, &result.output, NULL) < 0)
                assert_int_equal(text_copy("", &result.output), 0);
        return result;
}

#define RIG_LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define RIG_SHELL(script, ...)                                         \
        rig_run(&(RigWish){ .settings = RIG_LIST(__VA_ARGS__),         \
                            .argv = RIG_LIST("/bin/sh", "-c", script), \
                            .flags = EXEC_COMMAND_LITERAL })
