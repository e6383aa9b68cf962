/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-directories.h"
#include "exec/exec-environment.h"
#include "exec/exec-isolation.h"
#include "exec/exec-privileges.h"
#include "exec/exec-process.h"
#include "exec/exec-schedule.h"
#include "exec/exec-stdio.h"
#include "exec/exec-user.h"
#include "exec/exec-view.h"
#include "exec/network-namespace.h"
#include "unit/exec-status.h"
#include "unit/specifier.h"
#include "unit/unit-load.h"
#include "user/user-record.h"

#define UMASK_DEFAULT 0022

/* What the steps find out for each other. */
typedef struct ExecProcess {
        const ExecContext *context;
        Unit *unit;
        const UnitSettings *settings; /* of the unit */
        ExecIdentity identity;
        ExecDirectories directories;
        ExecCapabilities capabilities;
        char **environment, **argv;
        bool terminal; /* standard input is one */
        int exit;      /* when a step fails with another status than its own */
} ExecProcess;

static void process_done(ExecProcess *process) {
        unit_free(process->unit);
        exec_identity_done(&process->identity);
        exec_directories_done(&process->directories);
        strv_free(process->environment);
        strv_free(process->argv);
}

/* Reports to the manager; without one, nobody listens. */
static void report(const ExecProcess *process, ExecStatus *status, const char *text) {
        if (process->context->descriptors.status < 0)
                return;
        (void)snprintf(status->text, sizeof(status->text), "%s", text);
        (void)exec_status_send(process->context->descriptors.status, status);
}

static void warn(const ExecProcess *process, const char *text) {
        ExecStatus status = { .type = EXEC_STATUS_WARNING };

        report(process, &status, text);
}

/* The steps: negative with a reason when they fail */

static int step_settings(ExecProcess *process, Reason *reason) {
        const int r = unit_new_transient(process->context->unit, STRV(process->context->settings), "settings",
                                         &process->unit);
        if (r < 0)
                return r;
        if (process->unit->mistakes.texts)
                return reason_set(reason, -EINVAL, "%s", process->unit->mistakes.texts[0]);
        process->settings = &process->unit->settings;
        return exec_capabilities_read(process->settings, &process->capabilities, reason);
}

/* SIGPIPE is ignored in services unless IgnoreSIGPIPE= says otherwise: who writes to a peer that is gone gets an error. */
static int step_signals(ExecProcess *process, Reason *reason) {
        const struct sigaction standard = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN };
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                if (i != SIGKILL && i != SIGSTOP && sigaction(i, &standard, NULL) < 0 && errno != EINVAL)
                        return -errno;
        (void)sigemptyset(&none);
        const bool ignored = process->settings->ignore_sigpipe != TRUTH_NO;
        return (ignored && sigaction(SIGPIPE, &ignore, NULL) < 0) || sigprocmask(SIG_SETMASK, &none, NULL) < 0
                       ? -errno
                       : 0;
}

/* Nothing that this process has open comes to the program, but what is put into the first three places. */
static int step_descriptors(ExecProcess *process, Reason *reason) {
        return close_range(STDERR_FILENO + 1, UINT32_MAX, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* Those of whoever started the manager are for no command. */
static int step_ambient(ExecProcess *process, Reason *reason) {
        return exec_ambient_clear(reason);
}

static int step_session(ExecProcess *process, Reason *reason) {
        return setsid() < 0 ? -errno : 0;
}

static int write_record(const ExecProcess *process, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *const path = process->context->user_records;

        if (!process->identity.dynamic || !path)
                return 0;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const int r = fd < 0 ? -errno : user_record_write(fd, process->identity.user, process->identity.uid);
        return r < 0 ? reason_set(reason, r, "Cannot write the record of the dynamic user to %s: %m", path)
                     : 0;
}

static int step_identity(ExecProcess *process, Reason *reason) {
        const ExecContext *const context = process->context;
        ExecIdentity *const identity = &process->identity;

        int r = exec_identity_find(process->settings, context->unit, context->registry,
                                   context->descriptors.user, identity, &process->exit, reason);
        if (r >= 0)
                r = write_record(process, reason);
        if (r < 0)
                return r;
        ExecStatus status = { .type = EXEC_STATUS_USER, .uid = identity->uid, .gid = identity->gid };
        report(process, &status, identity->user ? identity->user : "");
        return 0;
}

static int step_stdio(ExecProcess *process, Reason *reason) {
        return exec_stdio_set(process->context, process->settings, &process->identity, &process->terminal,
                              &process->exit, reason);
}

static int step_oom_score(ExecProcess *process, Reason *reason) {
        _cleanup_(reason_done) Reason left = {};

        const int r = exec_oom_score_set(process->settings, &left);
        if (r > 0)
                warn(process, reason_text(&left, -EPERM));
        return r < 0 ? reason_set(reason, r, "%s", reason_text(&left, r)) : 0;
}

static int step_nice(ExecProcess *process, Reason *reason) {
        return exec_nice_set(process->settings, reason);
}

static int step_policy(ExecProcess *process, Reason *reason) {
        return exec_cpu_policy_set(process->settings, reason);
}

static int step_affinity(ExecProcess *process, Reason *reason) {
        return exec_cpu_affinity_set(process->settings, reason);
}

static int step_io_priority(ExecProcess *process, Reason *reason) {
        return exec_io_priority_set(process->settings, reason);
}

static int step_timer_slack(ExecProcess *process, Reason *reason) {
        return exec_timer_slack_set(process->settings, reason);
}

static int step_directories(ExecProcess *process, Reason *reason) {
        const ExecIdentity *const identity = &process->identity;

        const int r = exec_directories_plan(process->settings, process->context->unit, identity->dynamic,
                                            &process->directories, &process->exit, reason);
        return r < 0 ? r
                     : exec_directories_make(&process->directories, identity->uid, identity->gid,
                                             identity->dynamic, &process->exit, reason);
}

static int expand_command(ExecProcess *process) {
        const ExecCommand *const command = &process->context->command;
        _cleanup_(strv_freep) char **missing = NULL;

        if (command->flags & EXEC_COMMAND_LITERAL)
                return strv_copy(STRV(command->argv), &process->argv);
        const int r = exec_command_expand(STRV(command->argv), STRV(process->environment), &process->argv,
                                          &missing);
        for (char **name = missing; r >= 0 && name && *name; name++) {
                _cleanup_(freep) char *text = NULL;

                if (text_format(&text, "The command refers to the variable $%s, which is not set", *name) >=
                    0)
                        warn(process, text);
        }
        return r;
}

static int step_environment(ExecProcess *process, Reason *reason) {
        const ExecEnvironment wish = {
                .context = process->context,
                .settings = process->settings,
                .identity = &process->identity,
                .directories = &process->directories,
                .terminal = process->terminal,
        };

        const int r = exec_environment_make(&wish, &process->environment, reason);
        return r < 0 ? r : expand_command(process);
}

static int step_umask(ExecProcess *process, Reason *reason) {
        (void)umask(process->settings->umask.set ? process->settings->umask.bits : UMASK_DEFAULT);
        return 0;
}

static int step_personality(ExecProcess *process, Reason *reason) {
        return exec_personality_set(process->settings, reason);
}

static int step_keyring(ExecProcess *process, Reason *reason) {
        return exec_keyring_join(process->settings, &process->identity, reason);
}

static int step_hostname(ExecProcess *process, Reason *reason) {
        if (process->settings->protect_hostname == PROTECT_HOSTNAME_NO || unshare(CLONE_NEWUTS) == 0)
                return 0;
        return reason_set(reason, -errno, "Cannot make a namespace of host names for ProtectHostname=: %m");
}

static int step_users(ExecProcess *process, Reason *reason) {
        return exec_user_namespace_enter(process->settings, &process->identity, reason);
}

static int step_network(ExecProcess *process, Reason *reason) {
        const char *const path = process->settings->network_namespace_path;

        if (!text_is_empty(path))
                return exec_namespace_join("NetworkNamespacePath", path, CLONE_NEWNET, process->context->unit,
                                           reason);
        if (process->settings->private_network != TRUTH_YES)
                return 0;
        if (process->context->descriptors.network < 0)
                return reason_set(reason, -EINVAL, "There is nobody who would keep the network namespace");
        return network_namespace_enter(process->context->descriptors.network, process->context->network_pin,
                                       reason);
}

static int step_ipc(ExecProcess *process, Reason *reason) {
        return exec_namespace_join("IPCNamespacePath", process->settings->ipc_namespace_path, CLONE_NEWIPC,
                                   process->context->unit, reason);
}

static int step_view(ExecProcess *process, Reason *reason) {
        _cleanup_(exec_view_done) ExecView view = {};

        const int r = exec_view_make(process->context, process->settings, &process->directories,
                                     process->identity.uid, &view, reason);
        if (r < 0 || !view.own)
                return r;
        return view_enter(view.entries, view.n_entries, view.propagation, reason);
}

static int step_working_directory(ExecProcess *process, Reason *reason) {
        const char *wanted = process->settings->working_directory;
        _cleanup_(freep) char *path = NULL;
        bool optional = false;

        if (text_is_empty(wanted))
                wanted = "/";
        if (wanted[0] == '-') {
                optional = true;
                wanted++;
        }
        const bool is_home = text_equal(wanted, "~");
        const char *const home = process->identity.user ? process->identity.home : "/root";
        if (is_home && !home)
                return reason_set(reason, -ENXIO, "WorkingDirectory=~: the user \"%s\" has no home directory",
                                  process->identity.user);
        int r = is_home ? text_copy(home, &path)
                        : specifier_expand(wanted, process->context->unit, &path, reason);
        if (r < 0)
                return r;
        if (path[0] != '/')
                return reason_set(reason, -EINVAL, "WorkingDirectory=%s is no absolute path", path);
        if (chdir(path) == 0)
                return 0;
        r = -errno;
        if (optional)
                return chdir("/") < 0 ? -errno : 0;
        return reason_set(reason, r, "Cannot change to the directory %s: %m", path);
}

static int step_groups(ExecProcess *process, Reason *reason) {
        return exec_groups_set(&process->identity, reason);
}

static int step_limits(ExecProcess *process, Reason *reason) {
        return exec_limits_set(process->settings, reason);
}

static int step_bounding(ExecProcess *process, Reason *reason) {
        return exec_bounding_set(&process->capabilities, reason);
}

static int step_user(ExecProcess *process, Reason *reason) {
        bool secure_bits;

        const int r = exec_user_set(&process->identity, &process->capabilities, &secure_bits, reason);
        if (secure_bits)
                process->exit = EXEC_EXIT_SECUREBITS;
        return r;
}

static int step_no_new_privileges(ExecProcess *process, Reason *reason) {
        if (process->settings->no_new_privileges != TRUTH_YES)
                return 0;
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int step_families(ExecProcess *process, Reason *reason) {
        _cleanup_(exec_filter_done) ExecFilter filter = {};

        const int r = exec_families_make(process->settings, &filter, reason);
        return r < 0 || !filter.any ? r : restrict_apply(&filter.filter, reason);
}

static int step_filter(ExecProcess *process, Reason *reason) {
        _cleanup_(exec_filter_done) ExecFilter filter = {};

        const int r = exec_filter_make(process->settings, &filter, reason);
        if (r < 0 || !filter.any)
                return r;
        filter.filter.personality = exec_personality_get();
        return restrict_apply(&filter.filter, reason);
}

/* The name is looked for in what the service sees. */
static int step_exec(ExecProcess *process, Reason *reason) {
        _cleanup_(freep) char *path = NULL;
        const char *const name = process->context->command.path;

        const int r = path_find_program(name, EXEC_SEARCH_PATH, &path);
        if (r < 0 && name[0] != '/')
                return reason_set(reason, r, "There is no program \"%s\" in " EXEC_SEARCH_PATH, name);
        (void)execve(path ? path : name, process->argv, process->environment);
        return -errno;
}

/* For whom a step is: commands with "+" are neither confined nor another user's, those with "!" confined. */
#define CONFINED  EXEC_COMMAND_UNCONFINED
#define AS_A_USER (EXEC_COMMAND_UNCONFINED | EXEC_COMMAND_NO_USER)

typedef struct Step {
        int exit;          /* when it fails, unless the process has another one then */
        unsigned not_with; /* flags of the command */
        int (*run)(ExecProcess *process, Reason *reason);
} Step;

/* clang-format off */
static const Step steps[] = {
        { EXEC_EXIT_MEMORY,            0,         step_settings },
        { EXEC_EXIT_SIGNAL_MASK,       0,         step_signals },
        { EXEC_EXIT_FDS,               0,         step_descriptors },
        { EXEC_EXIT_CAPABILITIES,      0,         step_ambient },
        { EXEC_EXIT_SETSID,            0,         step_session },
        { EXEC_EXIT_USER,              0,         step_identity },
        { EXEC_EXIT_STDIN,             0,         step_stdio },
        { EXEC_EXIT_OOM_ADJUST,        0,         step_oom_score },
        { EXEC_EXIT_NICE,              0,         step_nice },
        { EXEC_EXIT_SETSCHEDULER,      0,         step_policy },
        { EXEC_EXIT_CPUAFFINITY,       0,         step_affinity },
        { EXEC_EXIT_IOPRIO,            0,         step_io_priority },
        { EXEC_EXIT_TIMERSLACK,        0,         step_timer_slack },
        { EXEC_EXIT_PERSONALITY,       CONFINED,  step_personality },
        { EXEC_EXIT_STATE_DIRECTORY,   0,         step_directories },
        { EXEC_EXIT_MEMORY,            0,         step_environment },
        { EXEC_EXIT_LIMITS,            0,         step_umask },
        { EXEC_EXIT_KEYRING,           CONFINED,  step_keyring },
        { EXEC_EXIT_NETWORK,           CONFINED,  step_network },
        { EXEC_EXIT_NAMESPACE,         CONFINED,  step_ipc },
        { EXEC_EXIT_NAMESPACE,         CONFINED,  step_hostname },
        { EXEC_EXIT_NAMESPACE,         CONFINED,  step_view },
        { EXEC_EXIT_CHDIR,             0,         step_working_directory },
        { EXEC_EXIT_GROUP,             AS_A_USER, step_groups },
        { EXEC_EXIT_LIMITS,            0,         step_limits },
        { EXEC_EXIT_USER,              CONFINED,  step_users },
        { EXEC_EXIT_CAPABILITIES,      CONFINED,  step_bounding },
        { EXEC_EXIT_USER,              AS_A_USER, step_user },
        { EXEC_EXIT_NO_NEW_PRIVILEGES, CONFINED,  step_no_new_privileges },
        { EXEC_EXIT_ADDRESS_FAMILIES,  CONFINED,  step_families },
        { EXEC_EXIT_SECCOMP,           CONFINED,  step_filter },
        { EXEC_EXIT_EXEC,              0,         step_exec },
};
/* clang-format on */

static int fail(const ExecProcess *process, int exit, int r, const Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        ExecStatus status = { .type = EXEC_STATUS_FAILED, .exit = exit, .error = -r };
        const char *const path = process->context->command.path;

        (void)text_format(&text, "Failed at step %s spawning %s: %s", exec_exit_name(exit), path,
                          reason_text(reason, r));
        report(process, &status, text ? text : "");
        return exit;
}

int exec_process_run(const ExecContext *context) {
        _cleanup_(process_done) ExecProcess process = { .context = context };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                _cleanup_(reason_done) Reason reason = {};

                if (context->command.flags & steps[i].not_with)
                        continue;
                process.exit = steps[i].exit;
                const int r = steps[i].run(&process, &reason);
                if (r < 0)
                        return fail(&process, process.exit, r, &reason);
        }
        assert(false);
        return EXEC_EXIT_EXEC;
}
