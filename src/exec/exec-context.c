/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json-reader.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-context.h"
#include "unit/unit-name.h"

#define LIST_ITEMS_MAX     16384
#define INVOCATION_ID_SIZE 32
#define COMMAND_FLAGS \
        (EXEC_COMMAND_IGNORE_FAILURE | EXEC_COMMAND_UNCONFINED | EXEC_COMMAND_NO_USER | EXEC_COMMAND_LITERAL)

void exec_context_done(ExecContext *context) {
        free(context->unit);
        free(context->invocation_id);
        strv_free(context->settings);
        exec_command_done(&context->command);
        strv_free(context->environment);
        free(context->log);
        free(context->private_tmp);
        free(context->private_var_tmp);
        free(context->network_pin);
        free(context->registry);
        free(context->user_records);
        *context = (ExecContext){ .descriptors = EXEC_DESCRIPTORS_NONE };
}

/* Words of command lines and values of variables may hold any bytes, JSON has characters only: each byte is written as the
 * character of that number, so that what is not UTF-8 comes through as well. */
static int bytes_encode(const char *bytes, char **ret) {
        char *const text = malloc(2 * strlen(bytes) + 1);
        char *to = text;

        if (!text)
                return -ENOMEM;
        for (; *bytes; bytes++) {
                const unsigned char byte = (unsigned char)*bytes;

                if (byte < 0x80)
                        *to++ = *bytes;
                else {
                        *to++ = (char)(0xc0 | byte >> 6);
                        *to++ = (char)(0x80 | (byte & 0x3f));
                }
        }
        *to = '\0';
        *ret = text;
        return 0;
}

/* In place; -EINVAL for a character that is no byte. */
static int bytes_decode(char *text) {
        char *to = text;

        for (const char *from = text; *from; from++) {
                const unsigned char first = (unsigned char)*from;

                if (first < 0x80) {
                        *to++ = *from;
                        continue;
                }
                if ((first != 0xc2 && first != 0xc3) || ((unsigned char)from[1] & 0xc0) != 0x80)
                        return -EINVAL;
                *to++ = (char)((first & 3) << 6 | ((unsigned char)*++from & 0x3f));
        }
        *to = '\0';
        return 0;
}

static int write_bytes(JsonWriter *writer, const char *key, const char *bytes) {
        _cleanup_(freep) char *text = NULL;

        if (!bytes)
                return 0;
        const int r = bytes_encode(bytes, &text);
        if (r >= 0)
                json_text(writer, key, text);
        return r;
}

static int write_list(JsonWriter *writer, const char *key, char *const *list) {
        int r = 0;

        json_begin_array(writer, key);
        for (; r >= 0 && list && *list; list++)
                r = write_bytes(writer, NULL, *list);
        json_end_array(writer);
        return r;
}

static int write_command(JsonWriter *writer, const ExecCommand *command) {
        json_begin_object(writer, "command");
        int r = write_bytes(writer, "path", command->path);
        if (r >= 0)
                r = write_list(writer, "argv", command->argv);
        json_number(writer, "flags", command->flags);
        json_end_object(writer);
        return r;
}

typedef struct DescriptorRow {
        const char *name;
        size_t offset;
} DescriptorRow;

static const DescriptorRow descriptor_rows[] = {
        { "status", offsetof(ExecDescriptors, status) },
        { "user", offsetof(ExecDescriptors, user) },
        { "network", offsetof(ExecDescriptors, network) },
        { "stdin", offsetof(ExecDescriptors, standard[STDIN_FILENO]) },
        { "stdout", offsetof(ExecDescriptors, standard[STDOUT_FILENO]) },
        { "stderr", offsetof(ExecDescriptors, standard[STDERR_FILENO]) },
};

static void write_descriptors(JsonWriter *writer, const ExecDescriptors *descriptors) {
        json_begin_object(writer, "descriptors");
        for (size_t i = 0; i < ELEMENTSOF(descriptor_rows); i++) {
                const int fd = *(const int *)((const char *)descriptors + descriptor_rows[i].offset);

                if (fd >= 0)
                        json_number(writer, descriptor_rows[i].name, (uint64_t)fd);
        }
        json_end_object(writer);
}

/* Members that are one text each. */
typedef struct TextRow {
        const char *name;
        size_t offset;
        bool optional;
} TextRow;

static const TextRow text_rows[] = {
        { "unit", offsetof(ExecContext, unit) },
        { "invocation-id", offsetof(ExecContext, invocation_id), .optional = true },
        { "log", offsetof(ExecContext, log), .optional = true },
        { "private-tmp", offsetof(ExecContext, private_tmp), .optional = true },
        { "private-var-tmp", offsetof(ExecContext, private_var_tmp), .optional = true },
        { "network-pin", offsetof(ExecContext, network_pin), .optional = true },
        { "registry", offsetof(ExecContext, registry), .optional = true },
        { "user-records", offsetof(ExecContext, user_records), .optional = true },
};

static char **text_member(const ExecContext *context, const TextRow *row) {
        return (char **)((char *)(uintptr_t)context + row->offset);
}

static int write_context(JsonWriter *writer, const ExecContext *context) {
        int r = 0;

        json_begin_object(writer, NULL);
        for (size_t i = 0; i < ELEMENTSOF(text_rows) && r >= 0; i++)
                r = write_bytes(writer, text_rows[i].name, *text_member(context, &text_rows[i]));
        if (r >= 0)
                r = write_list(writer, "settings", context->settings);
        if (r >= 0)
                r = write_command(writer, &context->command);
        json_bool(writer, "control", context->control);
        if (r >= 0)
                r = write_list(writer, "environment", context->environment);
        write_descriptors(writer, &context->descriptors);
        json_end_object(writer);
        return r;
}

int exec_context_write(const ExecContext *context, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        JsonWriter writer = { .file = file, .compact = true };
        const int r = write_context(&writer, context);
        if (fclose(file) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

static int read_item(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        char ***const list = userdata;

        if (strv_length(STRV(*list)) >= LIST_ITEMS_MAX)
                return reason_set(reason, -E2BIG, "a list has more than %d items", LIST_ITEMS_MAX);
        const int r = json_read_text(reader, &text);
        if (r < 0)
                return r;
        if (bytes_decode(text) < 0)
                return reason_set(reason, -EBADMSG, "a text has a character that stands for no byte");
        return strv_take(list, TAKE_PTR(text));
}

static int read_list(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_item, userdata, reason);
}

static int read_command(JsonReader *reader, void *userdata, Reason *reason) {
        ExecCommand *const command = userdata;
        uint64_t flags = 0;
        const JsonField fields[] = {
                { .name = "path", .text = &command->path },
                { .name = "argv", .read = read_list, .userdata = &command->argv },
                { .name = "flags", .optional = true, .number = &flags },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        if (flags & ~(uint64_t)COMMAND_FLAGS)
                return reason_set(reason, -EBADMSG, "the flags of the command are unknown");
        if (bytes_decode(command->path) < 0 || command->path[0] == '\0' || !command->argv)
                return reason_set(reason, -EBADMSG, "the command names no program");
        command->flags = (unsigned)flags;
        return 0;
}

static int read_descriptors(JsonReader *reader, void *userdata, Reason *reason) {
        uint64_t numbers[ELEMENTSOF(descriptor_rows)];
        JsonField fields[ELEMENTSOF(descriptor_rows)] = {};

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                numbers[i] = UINT64_MAX;
                fields[i] = (JsonField){
                        .name = descriptor_rows[i].name,
                        .optional = true,
                        .number = &numbers[i],
                };
        }
        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                int *const fd = (int *)((char *)userdata + descriptor_rows[i].offset);

                if (numbers[i] == UINT64_MAX)
                        continue;
                if (numbers[i] <= STDERR_FILENO || numbers[i] > INT_MAX)
                        return reason_set(reason, -EBADMSG, "the number of a descriptor is out of range");
                *fd = (int)numbers[i];
        }
        return 0;
}

static bool is_invocation_id(const char *text) {
        return strlen(text) == INVOCATION_ID_SIZE && strspn(text, "0123456789abcdef") == INVOCATION_ID_SIZE;
}

static bool is_environment(char *const *list) {
        for (; list && *list; list++)
                if (!strchr(*list, '=') || **list == '=')
                        return false;
        return true;
}

static int context_check(const ExecContext *context, Reason *reason) {
        for (size_t i = 0; i < ELEMENTSOF(text_rows); i++) {
                char *const text = *text_member(context, &text_rows[i]);

                if (text && bytes_decode(text) < 0)
                        return reason_set(reason, -EINVAL, "\"%s\" has a character that stands for no byte",
                                          text_rows[i].name);
        }
        if (!(unit_name_kind(context->unit) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE)))
                return reason_set(reason, -EINVAL, "\"unit\" is no name of a unit");
        if (context->invocation_id && !is_invocation_id(context->invocation_id))
                return reason_set(reason, -EINVAL, "\"invocation-id\" is not 32 hexadecimal digits");
        if (!is_environment(context->environment))
                return reason_set(reason, -EINVAL, "\"environment\" has what is no variable");
        return 0;
}

static int context_parse(const char *text, ExecContext *context, Reason *reason) {
        JsonReader reader = { .position = text, .end = text + strlen(text) };
        JsonField fields[ELEMENTSOF(text_rows) + 5] = {};
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(text_rows); i++)
                fields[n++] = (JsonField){
                        .name = text_rows[i].name,
                        .optional = text_rows[i].optional,
                        .text = text_member(context, &text_rows[i]),
                };
        fields[n++] = (JsonField){ .name = "settings", .read = read_list, .userdata = &context->settings };
        fields[n++] = (JsonField){ .name = "command", .read = read_command, .userdata = &context->command };
        fields[n++] = (JsonField){ .name = "control", .optional = true, .truth = &context->control };
        fields[n++] = (JsonField){
                .name = "environment",
                .optional = true,
                .read = read_list,
                .userdata = &context->environment,
        };
        fields[n++] = (JsonField){
                .name = "descriptors",
                .optional = true,
                .read = read_descriptors,
                .userdata = &context->descriptors,
        };
        assert(n == ELEMENTSOF(fields));

        int r = json_read_fields(&reader, fields, n, reason);
        if (r >= 0)
                r = json_read_end(&reader);
        return r;
}

int exec_context_read(const char *text, ExecContext *ret, Reason *reason) {
        _cleanup_(exec_context_done) ExecContext context = { .descriptors = EXEC_DESCRIPTORS_NONE };

        int r = context_parse(text, &context, reason);
        if (r >= 0)
                r = context_check(&context, reason);
        if (r < 0)
                return r == -ENOMEM ? r
                                    : reason_set(reason, -EINVAL, "This is no context of a process: %s",
                                                 reason_text(NULL, r));
        *ret = context;
        context = (ExecContext){ .descriptors = EXEC_DESCRIPTORS_NONE };
        return 0;
}
