/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "distro/distro-run.h"
#include "image/failure.h"
#include "image/script-check.h"
#include "image/script.h"

#define REPORT_DIRECTORY "/run/mkosi" /* inside: how bash says where it was */
#define REPORT_NAME      "failed"
#define BASH_NAME        "bash-env"
#define REPORT_SIZE_MAX  4096
#define SIGNAL_STATUS    128

#define SCRIPTS_HOME   "/root"
#define PLACE_OF_BUILD SCRIPTS_HOME "/mkosi.build" /* of one whose own name is that of a directory there */

const ScriptType script_types[SCRIPT_MAX] = {
        [SCRIPT_PREPARE] = { CONFIG(prepare_script), "prepare script", "/root/prepare", .takes_phase = true,
                             .needs_network = true },
        [SCRIPT_BUILD] = { CONFIG(build_script), "build script" },
        [SCRIPT_POSTINST] = { CONFIG(postinst_script), "post-installation script", "/root/postinst",
                              .takes_phase = true },
        [SCRIPT_FINALIZE] = { CONFIG(finalize_script), "finalize script", .takes_phase = true,
                              .on_host = true },
};

/* A script under way. */
typedef struct Script {
        ScriptKind kind;
        const ScriptType *type;
        const char *path; /* on the host */
        char *doing;      /* for messages: "run the build script build.sh (mkosi.default:7)" */
        const char *phase;
        char *place;
        char *report_path; /* directory on the host that is REPORT_DIRECTORY inside */
        char **environment;
        SandboxMount *mounts;
        size_t n_mounts;
        char **targets; /* that mounts point into */
        char *nothing;  /* an empty file on the host */
        FailureTail tail;
        Progress *progress;
} Script;

static void script_done(Script *script) {
        free(script->doing);
        free(script->place);
        free(script->report_path);
        strv_free(script->environment);
        free(script->mounts);
        strv_free(script->targets);
        free(script->nothing);
        failure_tail_done(&script->tail);
}

static const char bash_environment[] =
        "unset BASH_ENV\n"
        "if [[ $0 == %s ]]; then\n"
        "        set -o errtrace\n"
        "        trap 'printf \"%%s %%s\\n\" \"$LINENO\" \"${BASH_SOURCE[0]:-$0}\" >|" REPORT_DIRECTORY
        "/" REPORT_NAME "' ERR\n"
        "fi\n";

int script_bash_environment(const char *place, char **ret) {
        _cleanup_(freep) char *quoted = NULL;

        const int r = text_quote(place, &quoted);
        return r < 0 ? r : text_format(ret, bash_environment, quoted);
}

static int add_mount(Script *script, SandboxMountType type, const char *source, const char *target) {
        SandboxMount *more = reallocarray(script->mounts, script->n_mounts + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        script->mounts = more;
        more[script->n_mounts++] = (SandboxMount){ .type = type, .source = source, .target = target };
        return 0;
}

/* Variables of the configuration: those without a value are the caller's, if it has them. */
static int add_variables(const Config *config, char ***environment) {
        for (char **variable = config->environment; variable && *variable; variable++) {
                const char *value = strchr(*variable, '=') ? NULL : getenv(*variable);
                int r = 0;

                if (strchr(*variable, '='))
                        r = strv_append(environment, *variable);
                else if (value)
                        r = strv_append_format(environment, "%s=%s", *variable, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_build_environment(Script *script, const Config *config, const ScriptPlaces *places) {
        const char *const with[] = { "WITH_DOCS", "WITH_TESTS", "WITH_NETWORK" };
        const bool values[] = { config->with_docs, config->with_tests, config->with_network };

        int r = strv_append(&script->environment, "SRCDIR=" SCRIPT_SOURCES);
        if (r >= 0)
                r = strv_append(&script->environment, "DESTDIR=" SCRIPT_DESTINATION);
        if (r >= 0 && places->build)
                r = strv_append(&script->environment, "BUILDDIR=" SCRIPT_BUILD_ROOT);
        for (size_t i = 0; i < ELEMENTSOF(with) && r >= 0; i++)
                r = strv_append_format(&script->environment, "%s=%d", with[i], values[i]);
        return r;
}

/* An empty file stands in the place of what is not to be seen. */
static int hide(Script *script, const Image *image, const char *path) {
        char *target;

        if (!script->nothing) {
                int r = path_join(image->workspace->path, "nothing", &script->nothing);
                if (r >= 0)
                        r = file_write_text(AT_FDCWD, script->nothing, "", 0400);
                if (r < 0)
                        return r;
        }
        int r = path_join(SCRIPT_SOURCES, path, &target);
        if (r >= 0)
                r = strv_take(&script->targets, target);
        return r < 0 ? r : add_mount(script, SANDBOX_BIND_READ_ONLY, script->nothing, target);
}

static int add_places(Script *script, const Image *image, const ScriptPlaces *places) {
        int r = add_mount(script, SANDBOX_BIND, places->sources, SCRIPT_SOURCES);
        for (char *const *path = places->hidden; r >= 0 && path && *path; path++)
                r = hide(script, image, *path);
        if (r >= 0)
                r = add_mount(script, SANDBOX_BIND, places->destination, SCRIPT_DESTINATION);
        if (r >= 0 && places->build)
                r = add_mount(script, SANDBOX_BIND, places->build, SCRIPT_BUILD_ROOT);
        return r;
}

static int prepare_report(const Image *image, Script *script) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        int r = path_join(image->workspace->path, "script", &script->report_path);
        if (r < 0)
                return r;
        if (mkdir(script->report_path, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(script->report_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || (unlinkat(fd, REPORT_NAME, 0) < 0 && errno != ENOENT))
                return -errno;
        r = script_bash_environment(script->place, &text);
        if (r >= 0)
                r = file_write_text(fd, BASH_NAME, text, 0644);
        if (r >= 0)
                r = strv_append(&script->environment, "BASH_ENV=" REPORT_DIRECTORY "/" BASH_NAME);
        return r;
}

/* Beside what else is there. */
static int choose_place(const ScriptType *type, const char *path, char **ret) {
        static const char *const taken[] = { SCRIPT_SOURCES, SCRIPT_DESTINATION, SCRIPT_BUILD_ROOT };
        const char *place = type->place;
        _cleanup_(freep) char *own = NULL;

        const int r = path_join(SCRIPTS_HOME, path_base_name(path), &own);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(taken) && !place; i++)
                if (text_equal(own, taken[i]))
                        place = PLACE_OF_BUILD;
        return text_copy(place ?: own, ret);
}

static int say_doing(const Image *image, Script *script) {
        _cleanup_(freep) char *where = NULL, *path = NULL;

        int r = config_where(image->loaded, script->type->setting, 0, &where);
        if (r >= 0)
                r = config_path_say(script->path, &path);
        return r < 0 ? r
                     : text_format(&script->doing, "run the %s %s (%s)", script->type->title, path, where);
}

static int prepare(Image *image, ScriptKind kind, const ScriptPlaces *places, Script *script) {
        const Config *config = image->config;
        const ScriptType *type = &script_types[kind];

        *script = (Script){
                .kind = kind,
                .type = type,
                .path = *(char *const *)setting_member(image->loaded->store, config_setting(type->setting)),
                .phase = image->development ? "build" : "final",
                .progress = image->progress,
        };
        int r = choose_place(type, script->path, &script->place);
        if (r >= 0)
                r = say_doing(image, script);
        if (r >= 0)
                r = add_variables(config, &script->environment);
        if (r >= 0 && places)
                r = add_build_environment(script, config, places);
        return r;
}

static void take_line(const char *line, void *userdata) {
        Script *script = userdata;

        failure_tail_add(&script->tail, line);
        progress_output(script->progress, line);
}

static DistroCommand command_of(const Image *image, const Script *script, const char *const *argv) {
        return (DistroCommand){
                .argv = argv,
                .doing = script->doing,
                .network = image->config->with_network || script->type->needs_network,
                .environment = STRV(script->environment),
                .mounts = script->mounts,
                .n_mounts = script->n_mounts,
                .working_directory = script->kind == SCRIPT_BUILD ? SCRIPT_SOURCES : NULL,
        };
}

int script_parse_failure(const char *text, unsigned *ret_line, const char **ret_file) {
        char *end;

        errno = 0;
        const unsigned long line = strtoul(text, &end, 10);
        if (errno != 0 || end == text || *end != ' ' || line == 0 || line > INT32_MAX)
                return -EBADMSG;
        *ret_line = (unsigned)line;
        *ret_file = end + 1;
        return 0;
}

/* "its last command that failed is in line 14", or nothing. */
static int describe_place(const Script *script, char **ret) {
        _cleanup_(fd_closep) int fd =
                script->report_path ? open(script->report_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        _cleanup_(freep) char *text = NULL;
        const char *file;
        unsigned line;

        if (fd < 0 || file_read(fd, REPORT_NAME, REPORT_SIZE_MAX, &text, NULL) < 0 ||
            script_parse_failure(text_strip(text), &line, &file) < 0)
                return text_copy("", ret);
        if (text_equal(file, script->place))
                return text_format(ret, ", the last command of it that failed is in line %u", line);
        return text_format(ret, ", the last command of it that failed is in line %u of %s", line, file);
}

static int say_failure(const Image *image, const Script *script, int status) {
        _cleanup_(freep) char *place = NULL, *where = NULL, *path = NULL;

        int r = describe_place(script, &place);
        if (r >= 0)
                r = config_where(image->loaded, script->type->setting, 0, &where);
        if (r >= 0)
                r = config_path_say(script->path, &path);
        if (r < 0)
                return r;
        if (status > SIGNAL_STATUS && status <= SIGNAL_STATUS + SIGRTMAX)
                (void)log_error(-EIO, "%s: The %s %s was killed by signal %d (%s)%s", where,
                                script->type->title, path, status - SIGNAL_STATUS,
                                strsignal(status - SIGNAL_STATUS), place);
        else
                (void)log_error(-EIO, "%s: The %s %s ended with status %d%s", where, script->type->title,
                                path, status, place);
        if (image->config->quiet)
                failure_tail_log(&script->tail);
        if (!script->type->on_host && status <= SIGNAL_STATUS && text_is_empty(place) &&
            script_is_of_plain_shell(image->loaded, script->kind))
                log_info(
                        "sh does not tell in which line it failed; with #!/bin/bash as the first line it is said");
        return 0;
}

/* Never makes a failure anything else. */
static int fail(Image *image, const Script *script, int status, const DistroCommand *command) {
        const Config *config = image->config;

        progress_end(image->progress, false);
        int r = say_failure(image, script, status);
        if (r >= 0 && command && config->debug_shell)
                r = failure_shell(image, command);
        if (r >= 0 && config->keep_failed)
                r = failure_keep_tree(image);
        if (r >= 0 && command && !config->debug_shell)
                r = failure_hint();
        return r == -EINTR ? r : -EIO;
}

static int run_inside(Image *image, Script *script, const ScriptPlaces *places) {
        const char *argv[] = { script->place, script->type->takes_phase ? script->phase : NULL, NULL };
        const Installation installation = image_installation(image);
        _cleanup_(tool_log_done) ToolLog log = {};

        int r = script_check_tree(image->loaded, script->kind, image->root_path,
                                  image->development ? "BuildPackages" : "Packages");
        if (r < 0)
                return r;
        r = prepare_report(image, script);
        if (r >= 0)
                r = add_mount(script, SANDBOX_BIND_READ_ONLY, script->path, script->place);
        if (r >= 0)
                r = add_mount(script, SANDBOX_BIND, script->report_path, REPORT_DIRECTORY);
        if (r >= 0 && places)
                r = add_places(script, image, places);
        if (r < 0)
                return log_error(r, "Cannot prepare the %s: %m", script->type->title);

        DistroCommand command = command_of(image, script, argv);
        command.lasting = places && places->build;
        command.on_line = take_line;
        command.userdata = script;
        r = distro_execute(&installation, &command, &log);
        return r > 0 ? fail(image, script, r, &command) : r;
}

/* With the caller's environment, and what the configuration says in its place. */
static int run_on_host(Image *image, Script *script) {
        const char *const argv[] = { script->path, script->phase, NULL };
        _cleanup_(strv_freep) char **environment = NULL;
        _cleanup_(freep) char *root = NULL;

        int r = text_format(&root, "BUILDROOT=%s", image->root_path);
        if (r >= 0)
                r = environment_inherit(STRV(script->environment), &environment);
        if (r >= 0)
                r = environment_set(&environment, root);
        if (r < 0)
                return log_error(r, "Cannot prepare the %s: %m", script->type->title);

        progress_release(image->progress);
        r = process_run(&(ProcessOptions){
                .argv = argv,
                .environment = STRV(environment),
                .stdin_fd = -EBADF,
                .stdout_fd = STDERR_FILENO,
        });
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Failed to %s: %m", script->doing);
        return r > 0 ? fail(image, script, r, NULL) : 0;
}

int script_run(Image *image, ScriptKind kind, const ScriptPlaces *places) {
        _cleanup_(script_done) Script script = {};

        const int r = prepare(image, kind, places, &script);
        if (r < 0)
                return log_error(r, "Cannot prepare the %s: %m", script_types[kind].title);
        return script_types[kind].on_host ? run_on_host(image, &script) : run_inside(image, &script, places);
}
