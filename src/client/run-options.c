/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "client/run-options.h"
#include "unit/unit-name.h"

#define DESCRIPTION_MAX 200

enum {
        OPTION_WAIT = 256,
        OPTION_UNIT,
        OPTION_SLICE,
        OPTION_UID,
        OPTION_GID,
        OPTION_NICE,
        OPTION_DESCRIPTION,
        OPTION_SERVICE_TYPE,
        OPTION_WORKING_DIRECTORY,
        OPTION_SEND_SIGHUP,
        OPTION_NO_BLOCK,
        OPTION_RUNTIME_DIRECTORY,
        OPTION_HELPER,
        OPTION_VERSION,
};

static const struct option options_long[] = {
        { "wait", no_argument, NULL, OPTION_WAIT },
        { "pty", no_argument, NULL, 't' },
        { "pipe", no_argument, NULL, 'P' },
        { "quiet", no_argument, NULL, 'q' },
        { "collect", no_argument, NULL, 'G' },
        { "no-block", no_argument, NULL, OPTION_NO_BLOCK },
        { "property", required_argument, NULL, 'p' },
        { "setenv", required_argument, NULL, 'E' },
        { "unit", required_argument, NULL, OPTION_UNIT },
        { "slice", required_argument, NULL, OPTION_SLICE },
        { "description", required_argument, NULL, OPTION_DESCRIPTION },
        { "service-type", required_argument, NULL, OPTION_SERVICE_TYPE },
        { "uid", required_argument, NULL, OPTION_UID },
        { "gid", required_argument, NULL, OPTION_GID },
        { "nice", required_argument, NULL, OPTION_NICE },
        { "working-directory", required_argument, NULL, OPTION_WORKING_DIRECTORY },
        { "same-dir", no_argument, NULL, 'd' },
        { "remain-after-exit", no_argument, NULL, 'r' },
        { "send-sighup", no_argument, NULL, OPTION_SEND_SIGHUP },
        { "runtime-directory", required_argument, NULL, OPTION_RUNTIME_DIRECTORY },
        { "helper", required_argument, NULL, OPTION_HELPER },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        {},
};

void run_options_help(void) {
        (void)puts("mkosi-run [OPTION…] COMMAND [WORD…]\n"
                   "\n"
                   "Runs a command as a service of its own, by the manager if there is one.\n"
                   "\n"
                   "      --wait               Wait until the service has ended, and say how\n"
                   "  -t, --pty                Run it on a terminal that is this one\n"
                   "  -P, --pipe               Give it our standard input, output and error\n"
                   "  -p, --property=NAME=VALUE\n"
                   "                           Set a setting of the service\n"
                   "  -E, --setenv=NAME[=VALUE]\n"
                   "                           Set a variable; without a value, ours\n"
                   "      --unit=NAME          Call the unit so\n"
                   "      --slice=NAME         Put it into this slice\n"
                   "      --description=TEXT   Describe it so\n"
                   "      --service-type=TYPE  When it counts as started\n"
                   "      --uid=USER, --gid=GROUP\n"
                   "                           Run it as this user, this group\n"
                   "      --nice=LEVEL         How urgent it is\n"
                   "      --working-directory=PATH\n"
                   "                           Where it starts\n"
                   "  -d, --same-dir           Start it where we are\n"
                   "  -r, --remain-after-exit  The service stays active when the command has ended\n"
                   "      --send-sighup        Send SIGHUP as well when it is stopped\n"
                   "      --no-block           Do not wait until it has started\n"
                   "  -G, --collect            Forget the unit also when it has failed\n"
                   "  -q, --quiet              Say nothing that is no error\n"
                   "      --runtime-directory=PATH\n"
                   "                           Where the manager is (default: /run/mkosi)\n"
                   "      --helper=PATH        The program that sets processes up, without a manager\n"
                   "  -h, --help               Show this\n"
                   "      --version            Show the version");
}

/* A setting that has an option of its own. */
static int add_setting(RunOptions *options, const char *name, const char *value) {
        return strv_append_format(&options->properties, "%s=%s", name, value);
}

/* As words to read: no specifier in it, and not too long, which must not cut a character in two. */
static int add_description(const char *words, char ***settings) {
        _cleanup_(freep) char *text = malloc(2 * DESCRIPTION_MAX + 1);
        size_t n = 0, length = strnlen(words, DESCRIPTION_MAX);

        if (!text)
                return -ENOMEM;
        while (words[length] && length > 0 && ((unsigned char)words[length] & 0xc0) == 0x80)
                length--;
        for (size_t i = 0; i < length; i++) {
                if (words[i] == '%')
                        text[n++] = '%';
                text[n++] = words[i];
        }
        text[n] = '\0';
        return strv_append_format(settings, "Description=%s", text);
}

static int add_property(RunOptions *options, const char *text) {
        if (!strchr(text, '=') || text[0] == '=')
                return log_error(-EINVAL, "--property=%s: say NAME=VALUE", text);
        return strv_append(&options->properties, text);
}

static int add_variable(RunOptions *options, const char *text) {
        const char *value = strchr(text, '=') ? NULL : getenv(text);

        if (text[0] == '=' || text[0] == '\0')
                return log_error(-EINVAL, "--setenv=%s: say NAME=VALUE, or NAME", text);
        if (strchr(text, '='))
                return strv_append(&options->environment, text);
        return value ? strv_append_format(&options->environment, "%s=%s", text, value) : 0;
}

static int set_unit(RunOptions *options, const char *text) {
        free(TAKE_PTR(options->unit));
        const int r = unit_name_complete(text, &options->unit);
        if (r == -EINVAL || (r >= 0 && unit_name_type(options->unit) != UNIT_SERVICE) ||
            (r >= 0 && unit_name_kind(options->unit) == UNIT_NAME_TEMPLATE))
                return log_error(-EINVAL, "--unit=%s is no name of a service", text);
        return r;
}

static int set_slice(RunOptions *options, const char *text) {
        _cleanup_(freep) char *name = NULL;

        const int r = text_format(&name, "%s%s", text, text_ends_with(text, ".slice") ? "" : ".slice");
        return r < 0 ? r : add_setting(options, "Slice", name);
}

static int add_same_directory(RunOptions *options) {
        _cleanup_(freep) char *directory = getcwd(NULL, 0);

        if (!directory)
                return log_error(-errno, "Cannot find the working directory: %m");
        return add_setting(options, "WorkingDirectory", directory);
}

static int set_flag(bool *flag) {
        *flag = true;
        return 0;
}

static int take_option(RunOptions *options, int option, const char *value) {
        switch (option) {
        case OPTION_WAIT:
                return set_flag(&options->wait);
        case 't':
                return set_flag(&options->pty);
        case 'P':
                return set_flag(&options->pipe);
        case 'q':
                return set_flag(&options->quiet);
        case 'G':
                return set_flag(&options->collect);
        case 'h':
                return set_flag(&options->help);
        case OPTION_VERSION:
                return set_flag(&options->version);
        case OPTION_NO_BLOCK:
                return set_flag(&options->no_block);
        case 'p':
                return add_property(options, value);
        case 'E':
                return add_variable(options, value);
        case 'd':
                return add_same_directory(options);
        case 'r':
                return add_setting(options, "RemainAfterExit", "yes");
        case OPTION_SEND_SIGHUP:
                return add_setting(options, "SendSIGHUP", "yes");
        case OPTION_UNIT:
                return set_unit(options, value);
        case OPTION_SLICE:
                return set_slice(options, value);
        case OPTION_DESCRIPTION:
                return add_description(value, &options->properties);
        case OPTION_SERVICE_TYPE:
                return add_setting(options, "Type", value);
        case OPTION_UID:
                return add_setting(options, "User", value);
        case OPTION_GID:
                return add_setting(options, "Group", value);
        case OPTION_NICE:
                return add_setting(options, "Nice", value);
        case OPTION_WORKING_DIRECTORY:
                return add_setting(options, "WorkingDirectory", value);
        case OPTION_RUNTIME_DIRECTORY:
                options->runtime = value;
                return 0;
        case OPTION_HELPER:
                options->helper = value;
                return 0;
        default:
                return -EINVAL; /* getopt_long() has said why */
        }
}

/* Both are for scripts that do not know where they run: what fits. */
static void choose_standard(RunOptions *options) {
        if (!options->pty || !options->pipe)
                return;
        options->pty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
        options->pipe = !options->pty;
}

int run_options_read(int argc, char *argv[], RunOptions *ret) {
        RunOptions options = {};
        int option, r = 0;

        optind = 0; /* from the beginning, also the second time */
        while (r >= 0 && (option = getopt_long(argc, argv, "+tPqGp:E:drh", options_long, NULL)) >= 0)
                r = take_option(&options, option, optarg);
        options.command = argv + optind;
        if (r >= 0 && !options.help && !options.version && !options.command[0])
                r = log_error(-EINVAL, "No command was given: say mkosi-run [OPTION…] COMMAND");
        if (r >= 0 && options.no_block && (options.wait || options.pty || options.pipe))
                r = log_error(-EINVAL, "--no-block contradicts --wait, --pty and --pipe");
        if (r < 0) {
                run_options_done(&options);
                return r;
        }
        choose_standard(&options);
        *ret = options;
        return 0;
}

void run_options_done(RunOptions *options) {
        free(options->unit);
        strv_free(options->properties);
        strv_free(options->environment);
        *options = (RunOptions){};
}

int exec_command_quote(const char *word, char **ret) {
        static const char digits[] = "0123456789abcdef";
        char *text = malloc(4 * strlen(word) + 3), *to = text;

        if (!text)
                return -ENOMEM;
        *to++ = '"';
        for (; *word; word++) {
                const unsigned char byte = (unsigned char)*word;

                if (byte < ' ' || byte == 0x7f) {
                        *to++ = '\\';
                        *to++ = 'x';
                        *to++ = digits[byte >> 4];
                        *to++ = digits[byte & 15];
                        continue;
                }
                if (byte == '"' || byte == '\\')
                        *to++ = '\\';
                if (byte == '%')
                        *to++ = '%';
                *to++ = *word;
        }
        *to++ = '"';
        *to = '\0';
        *ret = text;
        return 0;
}

static int add_command(const RunOptions *options, char ***settings) {
        _cleanup_(freep) char *path = NULL, *line = NULL;

        int r = path_find_program(options->command[0], NULL, &path);
        if (r >= 0 && path[0] != '/') {
                _cleanup_(freep) char *relative = TAKE_PTR(path);

                r = path_absolute(relative, &path);
        }
        if (r < 0)
                return log_error(r, "Cannot find the program %s: %m", options->command[0]);
        /* "@": the program is told that it is called as it was; ":": no variables are replaced. */
        r = text_copy("ExecStart=:@", &line);
        for (size_t i = 0; r >= 0 && (i == 0 || options->command[i - 1]); i++) {
                _cleanup_(freep) char *quoted = NULL, *before = line;
                const char *word = i == 0 ? path : options->command[i - 1];

                line = NULL;
                r = exec_command_quote(word, &quoted);
                if (r >= 0)
                        r = text_format(&line, "%s%s%s", before, i == 0 ? "" : " ", quoted);
        }
        return r < 0 ? r : strv_take(settings, TAKE_PTR(line));
}

static int add_environment(const RunOptions *options, char ***settings) {
        int r = 0;

        for (char **variable = options->environment; r >= 0 && variable && *variable; variable++) {
                _cleanup_(freep) char *quoted = NULL;

                r = exec_command_quote(*variable, &quoted);
                if (r >= 0)
                        r = strv_append_format(settings, "Environment=%s", quoted);
        }
        return r;
}

/* What the three standard streams are: a terminal, or the descriptors that come along. */
static int add_streams(const char *what, char ***settings) {
        static const char *const names[] = { "StandardInput", "StandardOutput", "StandardError" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++)
                r = strv_append_format(settings, "%s=%s", names[i], what);
        return r;
}

/* The terminal's kind is what programs on it have to know. */
static int add_terminal(const char *terminal, char ***settings) {
        const char *kind = getenv("TERM");

        int r = strv_append_format(settings, "TTYPath=%s", terminal);
        if (r >= 0)
                r = add_streams("tty", settings);
        return r < 0 || !kind ? r : strv_append_format(settings, "Environment=\"TERM=%s\"", kind);
}

int run_options_unit(const RunOptions *options, const char *terminal, char ***ret) {
        _cleanup_(strv_freep) char **settings = NULL;
        int r = 0;

        /* The command line describes it, unless there is something better. */
        _cleanup_(freep) char *words = NULL;
        r = strv_join(STRV(options->command), " ", &words);
        if (r >= 0) {
                text_tame(words);
                r = add_description(words, &settings);
        }
        if (r >= 0 && terminal)
                r = add_terminal(terminal, &settings);
        if (r >= 0 && options->pipe)
                r = add_streams("fd", &settings);
        if (r >= 0)
                r = strv_extend(&settings, STRV(options->properties));
        /* Of variables that are said twice the later counts: what has an option of its own. */
        if (r >= 0)
                r = add_environment(options, &settings);
        if (r >= 0)
                r = add_command(options, &settings);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(settings);
        return 0;
}
