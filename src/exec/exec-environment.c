/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fd.h"
#include "base/open-careful.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-environment.h"
#include "unit/specifier.h"

#define FILE_SIZE_MAX    (1024 * 1024)
#define DEFAULT_TERMINAL "vt220"

static bool name_is_valid(const char *name, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (name[i] != '_' && !isalpha((unsigned char)name[i]) &&
                    (i == 0 || !isdigit((unsigned char)name[i])))
                        return false;
        return length > 0;
}

static bool variable_is_valid(const char *variable) {
        const char *const equals = strchr(variable, '=');

        return equals && name_is_valid(variable, (size_t)(equals - variable));
}

static int set_format(char ***list, const char *name, const char *value) {
        _cleanup_(freep) char *variable = NULL;

        if (!value)
                return 0;
        const int r = text_format(&variable, "%s=%s", name, value);
        return r < 0 ? r : environment_set(list, variable);
}

/* Files */

/* Reads a text and writes what it means into a buffer that has room for all of it. */
typedef struct FileReader {
        const char *position;
        char *to;
} FileReader;

/* A comment, or what is no assignment; a backslash continues it as well. */
static void skip_line(FileReader *reader) {
        for (; *reader->position && *reader->position != '\n'; reader->position++)
                if (reader->position[0] == '\\' && reader->position[1])
                        reader->position++;
}

/* Behind the opening quote, up to the closing one. Between single quotes nothing has a meaning; between double ones a
 * backslash takes the meaning of what has one. */
static void read_quoted(FileReader *reader, char quote) {
        for (; *reader->position && *reader->position != quote; reader->position++) {
                if (quote == '"' && reader->position[0] == '\\' && reader->position[1]) {
                        reader->position++;
                        if (*reader->position == '\n')
                                continue;
                        if (!strchr("\"\\`$", *reader->position))
                                *reader->to++ = '\\';
                }
                *reader->to++ = *reader->position;
        }
        if (*reader->position)
                reader->position++;
}

/* Up to the end of the line. Blanks at both ends count between quotes only. */
static void read_value(FileReader *reader) {
        char *end = reader->to;
        bool begun = false;

        for (; *reader->position && *reader->position != '\n';) {
                const char byte = *reader->position++;

                if (!begun && (byte == '\'' || byte == '"')) {
                        read_quoted(reader, byte);
                        end = reader->to;
                        continue;
                }
                if (byte == '\\' && *reader->position) {
                        const char next = *reader->position++;

                        begun = true;
                        if (next != '\n')
                                *reader->to++ = next;
                        end = reader->to;
                } else if (!isspace((unsigned char)byte)) {
                        begun = true;
                        *reader->to++ = byte;
                        end = reader->to;
                } else if (begun)
                        *reader->to++ = byte;
        }
        reader->to = end;
}

/* The name with its "=" is at the position; false when this line is no assignment. */
static bool read_name(FileReader *reader) {
        const char *const name = reader->position;
        const size_t length = strcspn(name, "=\n");
        size_t end = length;

        if (name[length] != '=')
                return false;
        while (end > 0 && isspace((unsigned char)name[end - 1]))
                end--;
        if (!name_is_valid(name, end))
                return false;
        memcpy(reader->to, name, end);
        reader->to += end;
        *reader->to++ = '=';
        reader->position = name + length + 1;
        return true;
}

int exec_environment_parse(const char *text, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(freep) char *buffer = malloc(strlen(text) + 2);
        FileReader reader = { .position = text };
        int r = 0;

        if (!buffer)
                return -ENOMEM;
        for (; r >= 0; reader.to = NULL) {
                reader.to = buffer;
                reader.position += strspn(reader.position, " \t\r\n");
                if (!*reader.position)
                        break;
                if (strchr("#;", *reader.position) || !read_name(&reader)) {
                        skip_line(&reader);
                        continue;
                }
                read_value(&reader);
                *reader.to = '\0';
                r = strv_append(&list, buffer);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

/* Root reads it, and what is in it the service gets: of a directory of a user it must not be somebody else's. */
static int add_file(const char *path, char ***list, Reason *reason) {
        _cleanup_(reason_done) Reason why = {};
        _cleanup_(fd_closep) int fd = open_careful(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &why);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **variables = NULL;

        int r = fd < 0 ? fd : fd_read_file(fd, FILE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return reason_set(reason, r, "Cannot read %s, which EnvironmentFile= names: %s", path,
                                  why.text ? why.text : file_read_error(r));
        r = exec_environment_parse(text, &variables);
        return r < 0 ? r : environment_extend(list, STRV(variables));
}

static int add_file_pattern(const char *pattern, bool optional, char ***list, Reason *reason) {
        glob_t found = {};
        int r = 0;

        const int g = glob(pattern, 0, NULL, &found);
        if (g == GLOB_NOSPACE)
                r = -ENOMEM;
        else if (g != 0 && !optional)
                r = reason_set(
                        reason, -ENOENT,
                        "There is no file %s, which EnvironmentFile= names; a dash in front says that it "
                        "may be missing",
                        pattern);
        for (size_t i = 0; r >= 0 && g == 0 && i < found.gl_pathc; i++) {
                r = add_file(found.gl_pathv[i], list, optional ? NULL : reason);
                if (r < 0 && r != -ENOMEM && optional)
                        r = 0;
        }
        globfree(&found);
        return r;
}

static int add_files(const ExecEnvironment *wish, char ***list, Reason *reason) {
        for (char *const *item = wish->settings->environment_file; item && *item; item++) {
                _cleanup_(freep) char *path = NULL;
                const bool optional = **item == '-';

                int r = specifier_expand(*item + optional, wish->context->unit, &path, reason);
                if (r < 0)
                        return r;
                if (path[0] != '/')
                        return reason_set(reason, -EINVAL,
                                          "EnvironmentFile= names \"%s\", which is no absolute path", path);
                r = add_file_pattern(path, optional, list, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Settings */

int exec_environment_add(const char *line, const char *unit, char ***list, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;

        int r = exec_words_read(line, &words, reason);
        for (char **word = words; r >= 0 && word && *word; word++) {
                _cleanup_(freep) char *variable = NULL;

                r = specifier_expand(*word, unit, &variable, reason);
                /* What is no variable is passed over, as in files. */
                if (r >= 0 && variable_is_valid(variable))
                        r = environment_set(list, variable);
        }
        return r;
}

static int add_settings(const ExecEnvironment *wish, char ***list, Reason *reason) {
        int r = 0;

        for (char *const *name = wish->settings->pass_environment; r >= 0 && name && *name; name++)
                r = set_format(list, *name, getenv(*name));
        for (char *const *line = wish->settings->environment; r >= 0 && line && *line; line++)
                r = exec_environment_add(*line, wish->context->unit, list, reason);
        return r;
}

/* "NAME" whatever it is, or "NAME=VALUE" if it is that. */
static int remove_unset(const ExecEnvironment *wish, char ***list, Reason *reason) {
        int r = 0;

        for (char *const *item = wish->settings->unset_environment; r >= 0 && item && *item; item++) {
                _cleanup_(freep) char *name = NULL;

                r = specifier_expand(*item, wish->context->unit, &name, reason);
                if (r < 0)
                        return r;
                char *const equals = strchr(name, '=');
                if (equals && !strv_contains(STRV(*list), name))
                        continue;
                if (equals)
                        *equals = '\0';
                r = environment_set(list, name);
        }
        return r;
}

static int add_identity(const ExecIdentity *identity, char ***list) {
        if (!identity->user)
                return 0;
        int r = set_format(list, "USER", identity->user);
        if (r >= 0)
                r = set_format(list, "LOGNAME", identity->user);
        if (r >= 0)
                r = set_format(list, "HOME", identity->home);
        return r < 0 ? r : set_format(list, "SHELL", identity->shell);
}

/* Who is to give signs of life: this process, which becomes the program. sd_watchdog_enabled(3) of others is told so. */
static int add_watchdog(char ***list) {
        bool watched = false;

        for (char **item = *list; item && *item && !watched; item++)
                watched = text_after_prefix(*item, "WATCHDOG_USEC=");
        _cleanup_(freep) char *pid = NULL;
        const int r = watched ? text_format(&pid, "%d", (int)getpid()) : 0;
        return r < 0 ? r : set_format(list, "WATCHDOG_PID", pid);
}

int exec_environment_make(const ExecEnvironment *wish, char ***ret, Reason *reason) {
        _cleanup_(strv_freep) char **list = NULL;

        int r = set_format(&list, "PATH", EXEC_SEARCH_PATH);
        if (r >= 0)
                r = set_format(&list, "LANG", getenv("LANG"));
        if (r >= 0)
                r = set_format(&list, "INVOCATION_ID", wish->context->invocation_id);
        if (r >= 0)
                r = environment_extend(&list, STRV(wish->context->environment));
        if (r >= 0)
                r = add_watchdog(&list);
        if (r >= 0)
                r = add_identity(wish->identity, &list);
        if (r >= 0)
                r = exec_directories_environment(wish->directories, &list);
        if (r >= 0 && wish->terminal)
                r = set_format(&list, "TERM", getenv("TERM") ?: DEFAULT_TERMINAL);
        if (r >= 0)
                r = add_settings(wish, &list, reason);
        if (r >= 0)
                r = add_files(wish, &list, reason);
        if (r >= 0)
                r = remove_unset(wish, &list, reason);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}
