/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "client/property-print.h"
#include "sandbox/sandbox-privileges.h"

#define COMMAND "sasbttttuii"

static bool is_capabilities(const char *name) {
        return text_equal(name, "CapabilityBoundingSet") || text_equal(name, "AmbientCapabilities");
}

/* Points in time are shown as such, but by their own names as numbers. */
static bool is_time(const char *name) {
        return text_ends_with(name, "Timestamp");
}

/* The largest number stands for what is not known, or has no limit; which of both, the name tells. */
static const char *largest(const char *name) {
        if (strncmp(name, "IP", 2) == 0)
                return "[no data]";
        return text_ends_with(name, "USec") || text_ends_with(name, "Max") || strncmp(name, "Limit", 5) == 0
                       ? "infinity"
                       : "[not set]";
}

/* A number of any type that the manager has; one with a sign is kept by its bits. */
typedef struct Number {
        bool is_signed, is_largest;
        uint64_t value;
} Number;

static int read_number(sd_bus_message *message, char type, Number *ret) {
        union {
                int truth;
                int32_t i;
                uint32_t u;
                uint64_t t;
        } value = {};

        const int r = sd_bus_message_read_basic(message, type, &value);
        if (r < 0)
                return r;
        switch (type) {
        case 'b':
                *ret = (Number){ .value = value.truth };
                return 0;
        case 'i':
                *ret = (Number){ .is_signed = true, .value = (uint64_t)(int64_t)value.i };
                return 0;
        case 'u':
                *ret = (Number){ .value = value.u, .is_largest = value.u == UINT32_MAX };
                return 0;
        default:
                *ret = (Number){ .value = value.t, .is_largest = value.t == UINT64_MAX };
                return 0;
        }
}

static void print_time(uint64_t usec, const char *never, FILE *file) {
        const time_t seconds = (time_t)(usec / SECOND_USEC);
        char text[64];
        struct tm tm;

        if (usec > 0 && localtime_r(&seconds, &tm) &&
            strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm) > 0)
                (void)fputs(text, file);
        else
                (void)fputs(never, file);
}

static void print_capabilities(uint64_t set, FILE *file) {
        bool first = true;

        for (unsigned i = 0; i < 64; i++) {
                if (!(set & UINT64_C(1) << i) || !sandbox_capability_name(i))
                        continue;
                (void)fprintf(file, "%scap_%s", first ? "" : " ", sandbox_capability_name(i));
                first = false;
        }
}

static void print_number(const Number *number, const char *name, char type, FILE *file) {
        char text[TIME_SPAN_TEXT_MAX];

        if (type == 'b')
                (void)fputs(number->value ? "yes" : "no", file);
        else if (number->is_signed)
                (void)fprintf(file, "%" PRIi64, (int64_t)number->value);
        else if (number->is_largest)
                (void)fputs(largest(name), file);
        else if (text_equal(name, "UMask") || text_ends_with(name, "DirectoryMode"))
                (void)fprintf(file, "%04" PRIo64, number->value);
        else if (type == 't' && is_time(name))
                print_time(number->value, "", file);
        else if (type == 't' && text_ends_with(name, "USec")) {
                time_span_format(number->value, 1, text);
                (void)fputs(text, file);
        } else if (type == 't' && is_capabilities(name))
                print_capabilities(number->value, file);
        else
                (void)fprintf(file, "%" PRIu64, number->value);
}

static int print_text(sd_bus_message *message, char type, FILE *file) {
        _cleanup_(freep) char *text = NULL;
        const char *said;

        int r = sd_bus_message_read_basic(message, type, &said);
        if (r >= 0)
                r = text_copy(said, &text);
        if (r >= 0) {
                text_tame(text);
                (void)fputs(text, file);
        }
        return r;
}

static int read_bytes(sd_bus_message *message, char **ret) {
        const uint8_t *bytes;
        size_t size, length;

        const int r = sd_bus_message_read_array(message, 'y', (const void **)&bytes, &size);
        if (r < 0)
                return r;
        FILE *const file = open_memstream(ret, &length);
        if (!file)
                return -errno;
        for (size_t i = 0; i < size; i++)
                (void)fprintf(file, "%02x", bytes[i]);
        return fclose(file) != 0 ? -ENOMEM : 0;
}

/* Commands */

typedef struct Command {
        const char *path;
        char **argv;
        int ignores_errors;
        uint64_t started, started_monotonic, ended, ended_monotonic;
        uint32_t pid;
        int32_t code, status;
} Command;

static void command_done(Command *command) {
        strv_free(command->argv);
}

/* 1, and 0 at the end of the array. */
static int read_command(sd_bus_message *message, Command *ret) {
        int r = sd_bus_message_enter_container(message, 'r', COMMAND);

        if (r <= 0)
                return r;
        r = sd_bus_message_read_basic(message, 's', &ret->path);
        if (r >= 0)
                r = sd_bus_message_read_strv(message, &ret->argv);
        if (r >= 0)
                r = sd_bus_message_read(message, "bttttuii", &ret->ignores_errors, &ret->started,
                                        &ret->started_monotonic, &ret->ended, &ret->ended_monotonic,
                                        &ret->pid, &ret->code, &ret->status);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 1;
}

static const char *code_word(int32_t code) {
        return code == CLD_EXITED   ? "exited"
               : code == CLD_KILLED ? "killed"
               : code == CLD_DUMPED ? "dumped"
                                    : NULL;
}

static int print_command(const Command *command, FILE *file) {
        _cleanup_(freep) char *words = NULL, *path = NULL;

        int r = strv_join(STRV(command->argv), " ", &words);
        if (r >= 0)
                r = text_copy(command->path, &path);
        if (r < 0)
                return r;
        text_tame(words);
        text_tame(path);
        (void)fprintf(file, "{ path=%s ; argv[]=%s ; ignore_errors=%s ; start_time=[", path, words,
                      command->ignores_errors ? "yes" : "no");
        print_time(command->started, "n/a", file);
        (void)fputs("] ; stop_time=[", file);
        print_time(command->ended, "n/a", file);
        (void)fprintf(file, "] ; pid=%" PRIu32 " ; code=%s ; status=%" PRIi32, command->pid,
                      code_word(command->code) ?: "(null)", command->status);
        if (command->code == 0)
                (void)fputs("/0", file);
        else if (command->code != CLD_EXITED)
                (void)fprintf(file, "/%s", sigabbrev_np(command->status) ?: "?");
        (void)fputs(" }", file);
        return 0;
}

/* A line for each. */
static int print_commands(sd_bus_message *message, const char *name, bool value_only, FILE *file) {
        bool any = false;

        int r = sd_bus_message_enter_container(message, 'a', "(" COMMAND ")");
        while (r >= 0) {
                _cleanup_(command_done) Command command = {};

                r = read_command(message, &command);
                if (r <= 0)
                        break;
                (void)fprintf(file, "%s%s", value_only ? "" : name, value_only ? "" : "=");
                r = print_command(&command, file);
                (void)fputc('\n', file);
                any = true;
        }
        if (r >= 0 && !any)
                (void)fprintf(file, "%s%s\n", value_only ? "" : name, value_only ? "" : "=");
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* All else */

static int print_value(sd_bus_message *message, const char *name, const char *contents, FILE *file);

/* One of several texts, so that it can be told where it ends. */
static int print_item(sd_bus_message *message, FILE *file) {
        _cleanup_(freep) char *text = NULL;
        const char *said;

        int r = sd_bus_message_read_basic(message, 's', &said);
        if (r >= 0)
                r = text_copy(said, &text);
        if (r < 0)
                return r;
        text_tame(text);
        if (text[0] != '\0' && !strpbrk(text, " \"\\")) {
                (void)fputs(text, file);
                return 0;
        }
        (void)fputc('"', file);
        for (const char *c = text; *c; c++) {
                if (*c == '"' || *c == '\\')
                        (void)fputc('\\', file);
                (void)fputc(*c, file);
        }
        (void)fputc('"', file);
        return 0;
}

static int print_array(sd_bus_message *message, const char *name, const char *contents, FILE *file) {
        int r = sd_bus_message_enter_container(message, 'a', contents);

        for (bool first = true; r >= 0 && (r = sd_bus_message_at_end(message, false)) == 0; first = false) {
                if (!first)
                        (void)fputc(' ', file);
                r = text_equal(contents, "s") ? print_item(message, file)
                                              : print_value(message, name, contents, file);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* The type of what comes next, as one text. */
static int peek_contents(sd_bus_message *message, char **ret) {
        const char *inner;
        char type;

        const int r = sd_bus_message_peek_type(message, &type, &inner);
        if (r <= 0)
                return r;
        const int length =
                type == 'r' ? text_format(ret, "(%s)", inner) : text_format(ret, "%c%s", type, inner ?: "");
        return length < 0 ? length : 1;
}

static int print_structure(sd_bus_message *message, const char *name, const char *contents, FILE *file) {
        int r = sd_bus_message_enter_container(message, 'r', contents);

        for (bool first = true; r >= 0 && (r = sd_bus_message_at_end(message, false)) == 0; first = false) {
                _cleanup_(freep) char *inner = NULL;

                if (!first)
                        (void)fputc(' ', file);
                r = peek_contents(message, &inner);
                if (r > 0)
                        r = print_value(message, name, inner, file);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* "(s…)" without what stands around it. */
static int inner_contents(const char *contents, char **ret) {
        return text_format(ret, "%.*s", (int)strlen(contents) - 2, contents + 1);
}

static int print_value(sd_bus_message *message, const char *name, const char *contents, FILE *file) {
        _cleanup_(freep) char *text = NULL;
        Number number;

        if (text_equal(contents, "ay")) {
                const int r = read_bytes(message, &text);
                return r < 0 ? r : fputs(text, file) < 0 ? -EIO : 0;
        }
        if (contents[0] == 'a')
                return print_array(message, name, contents + 1, file);
        if (contents[0] == '(') {
                const int r = inner_contents(contents, &text);
                return r < 0 ? r : print_structure(message, name, text, file);
        }
        if (strchr("sog", contents[0]))
                return print_text(message, contents[0], file);
        if (!strchr("biut", contents[0]))
                return sd_bus_message_skip(message, contents);
        const int r = read_number(message, contents[0], &number);
        if (r >= 0)
                print_number(&number, name, contents[0], file);
        return r;
}

/* A number, or nothing. */
static int print_job(sd_bus_message *message, FILE *file) {
        const char *path;
        uint32_t id;

        const int r = sd_bus_message_read(message, "(uo)", &id, &path);
        if (r >= 0 && id > 0)
                (void)fprintf(file, "%" PRIu32, id);
        return r;
}

static int print_load_error(sd_bus_message *message, FILE *file) {
        _cleanup_(freep) char *text = NULL;
        const char *error, *words;

        int r = sd_bus_message_read(message, "(ss)", &error, &words);
        if (r < 0 || error[0] == '\0')
                return r;
        r = text_format(&text, "%s \"%s\"", error, words);
        if (r < 0)
                return r;
        text_tame(text);
        (void)fputs(text, file);
        return 0;
}

int property_print(sd_bus_message *message, const char *name, const char *contents, bool value_only,
                   FILE *file) {
        if (text_equal(contents, "a(" COMMAND ")"))
                return print_commands(message, name, value_only, file);
        if (!value_only)
                (void)fprintf(file, "%s=", name);
        const int r = text_equal(name, "Job") && text_equal(contents, "(uo)") ? print_job(message, file)
                      : text_equal(name, "LoadError") && text_equal(contents, "(ss)")
                              ? print_load_error(message, file)
                              : print_value(message, name, contents, file);
        (void)fputc('\n', file);
        return r;
}

/* JSON */

static void json_command(JsonWriter *writer, const Command *command) {
        json_begin_object(writer, NULL);
        json_text(writer, "path", command->path);
        json_begin_array(writer, "argv");
        for (char **word = command->argv; word && *word; word++)
                json_text(writer, NULL, *word);
        json_end_array(writer);
        json_bool(writer, "ignore_errors", command->ignores_errors);
        json_number(writer, "start_time", command->started);
        json_number(writer, "stop_time", command->ended);
        json_number(writer, "pid", command->pid);
        json_text(writer, "code", code_word(command->code));
        json_integer(writer, "status", command->status);
        json_end_object(writer);
}

static int json_commands(sd_bus_message *message, const char *name, JsonWriter *writer) {
        int r = sd_bus_message_enter_container(message, 'a', "(" COMMAND ")");

        json_begin_array(writer, name);
        while (r >= 0) {
                _cleanup_(command_done) Command command = {};

                r = read_command(message, &command);
                if (r <= 0)
                        break;
                json_command(writer, &command);
        }
        json_end_array(writer);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static void json_of_number(JsonWriter *writer, const char *name, const Number *number, char type) {
        if (type == 'b')
                json_bool(writer, name, number->value);
        else if (number->is_largest)
                json_null(writer, name);
        else if (number->is_signed)
                json_integer(writer, name, (int64_t)number->value);
        else
                json_number(writer, name, number->value);
}

static int json_value(sd_bus_message *message, const char *name, const char *contents, JsonWriter *writer);

/* Arrays, and structures as such. */
static int json_container(sd_bus_message *message, char type, const char *name, const char *contents,
                          JsonWriter *writer) {
        int r = sd_bus_message_enter_container(message, type, contents);

        json_begin_array(writer, name);
        while (r >= 0 && (r = sd_bus_message_at_end(message, false)) == 0) {
                _cleanup_(freep) char *inner = NULL;

                r = peek_contents(message, &inner);
                if (r > 0)
                        r = json_value(message, NULL, inner, writer);
        }
        json_end_array(writer);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int json_value(sd_bus_message *message, const char *name, const char *contents, JsonWriter *writer) {
        _cleanup_(freep) char *inner = NULL;
        const char *text;
        Number number;
        int r;

        if (text_equal(contents, "ay")) {
                r = read_bytes(message, &inner);
                if (r >= 0)
                        json_text(writer, name, inner);
                return r;
        }
        if (contents[0] == 'a')
                return json_container(message, 'a', name, contents + 1, writer);
        if (contents[0] == '(') {
                r = inner_contents(contents, &inner);
                return r < 0 ? r : json_container(message, 'r', name, inner, writer);
        }
        if (strchr("sog", contents[0])) {
                r = sd_bus_message_read_basic(message, contents[0], &text);
                if (r >= 0)
                        json_text(writer, name, text);
                return r;
        }
        if (!strchr("biut", contents[0]))
                return sd_bus_message_skip(message, contents);
        r = read_number(message, contents[0], &number);
        if (r >= 0)
                json_of_number(writer, name, &number, contents[0]);
        return r;
}

int property_print_json(sd_bus_message *message, const char *name, const char *contents, JsonWriter *writer) {
        return text_equal(contents, "a(" COMMAND ")") ? json_commands(message, name, writer)
                                                      : json_value(message, name, contents, writer);
}
