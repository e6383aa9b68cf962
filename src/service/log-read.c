/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "service/log-forward.h"
#include "service/log-store.h"

#define CURRENT    "current"
#define SUFFIX     ".export"
#define FIELDS_MAX 1024

void log_record_done(LogRecord *record) {
        free(record->fields);
        free(record->data);
        *record = (LogRecord){};
}

const LogField *log_record_find(const LogRecord *record, const char *name) {
        for (size_t i = 0; i < record->n_fields; i++)
                if (text_equal(record->fields[i].name, name))
                        return &record->fields[i];
        return NULL;
}

bool log_field_equals(const LogField *field, const char *value) {
        return field->size == strlen(value) && memcmp(field->value, value, field->size) == 0;
}

/* Reading one file */

typedef struct Input {
        FILE *file;
        char *line;
        size_t line_allocated;
} Input;

/* A growing text of what a record has, of which the fields are offsets until it is whole. */
typedef struct Parts {
        char *data;
        size_t size, allocated;
        struct {
                size_t name, value, size;
        } fields[FIELDS_MAX];
        size_t n_fields;
} Parts;

static int add_bytes(Parts *parts, const void *bytes, size_t size, size_t *ret_offset) {
        if (size >= LOG_RECORD_SIZE_MAX - parts->size)
                return -EBADMSG;
        if (parts->size + size + 1 > parts->allocated) {
                const size_t allocated = MAX(2 * parts->allocated, parts->size + size + 1);
                char *more = realloc(parts->data, allocated);

                if (!more)
                        return -ENOMEM;
                parts->data = more;
                parts->allocated = allocated;
        }
        if (bytes)
                memcpy(parts->data + parts->size, bytes, size);
        parts->data[parts->size + size] = '\0';
        *ret_offset = parts->size;
        parts->size += size + 1;
        return 0;
}

/* The length, the bytes, and the end of the line. */
static int read_binary(Input *input, Parts *parts, size_t *ret_offset, size_t *ret_size) {
        uint8_t length[8];
        uint64_t size = 0;

        if (fread(length, 1, sizeof(length), input->file) != sizeof(length))
                return -EBADMSG;
        for (unsigned i = 8; i-- > 0;)
                size = size << 8 | length[i];
        if (size >= LOG_RECORD_SIZE_MAX)
                return -EBADMSG;
        const int r = add_bytes(parts, NULL, size, ret_offset);
        if (r < 0)
                return r;
        if (fread(parts->data + *ret_offset, 1, size, input->file) != size || fgetc(input->file) != '\n')
                return -EBADMSG;
        *ret_size = size;
        return 0;
}

static int read_field(Input *input, char *line, size_t length, Parts *parts) {
        char *value = memchr(line, '=', length);
        size_t name, offset, size;
        int r;

        if (parts->n_fields == FIELDS_MAX)
                return -EBADMSG;
        r = add_bytes(parts, line, value ? (size_t)(value - line) : length, &name);
        if (r < 0)
                return r;
        if (value) {
                size = length - (size_t)(value + 1 - line);
                r = add_bytes(parts, value + 1, size, &offset);
        } else
                r = read_binary(input, parts, &offset, &size);
        if (r < 0)
                return r;
        parts->fields[parts->n_fields].name = name;
        parts->fields[parts->n_fields].value = offset;
        parts->fields[parts->n_fields++].size = size;
        return 0;
}

static int parts_finish(Parts *parts, LogRecord *ret) {
        LogField *fields = calloc(MAX(parts->n_fields, (size_t)1), sizeof(*fields));

        if (!fields)
                return -ENOMEM;
        for (size_t i = 0; i < parts->n_fields; i++)
                fields[i] = (LogField){ .name = parts->data + parts->fields[i].name,
                                        .value = parts->data + parts->fields[i].value,
                                        .size = parts->fields[i].size };
        *ret = (LogRecord){ .fields = fields, .n_fields = parts->n_fields, .data = TAKE_PTR(parts->data) };
        parts->allocated = 0;
        const LogField *time = log_record_find(ret, "__REALTIME_TIMESTAMP");
        ret->realtime_usec = time ? strtoull(time->value, NULL, 10) : 0;
        return 1;
}

/* 1 with a record; 0 at the end, which is also where a record has no end. -EBADMSG: this is no file of the log. */
static int read_record(Input *input, Parts *parts, LogRecord *ret) {
        parts->size = parts->n_fields = 0;
        for (;;) {
                const ssize_t n = getline(&input->line, &input->line_allocated, input->file);
                int r;

                if (n <= 0 || input->line[n - 1] != '\n')
                        return 0;
                if (n == 1 && parts->n_fields > 0)
                        return parts_finish(parts, ret);
                if (n == 1)
                        continue;
                r = read_field(input, input->line, (size_t)n - 1, parts);
                if (r == -EBADMSG && feof(input->file))
                        return 0;
                if (r < 0)
                        return r;
        }
}

/* Of an open file, which is closed. */
static int measure(FILE *file, Parts *parts, uint64_t from, uint64_t *ret) {
        Input input = { .file = file };
        LogRecord record;
        uint64_t whole = from;
        int r;

        while ((r = read_record(&input, parts, &record)) > 0) {
                whole = (uint64_t)ftello(file);
                log_record_done(&record);
        }
        if (ferror(file))
                r = -EIO;
        (void)fclose(file);
        free(input.line);
        free(parts->data);
        if (r < 0 && r != -EBADMSG)
                return r;
        *ret = whole;
        return 0;
}

int log_file_measure(int fd, uint64_t from, uint64_t *ret) {
        _cleanup_(freep) Parts *parts = calloc(1, sizeof(*parts));

        if (!parts)
                return -ENOMEM;
        const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return -errno;
        FILE *file = fdopen(copy, "re");
        if (!file) {
                (void)fd_close(copy);
                return -ENOMEM;
        }
        if (fseeko(file, (off_t)from, SEEK_SET) < 0) {
                (void)fclose(file);
                return -errno;
        }
        return measure(file, parts, from, ret);
}

/* Which records are asked for */

/* A record is of a unit if one of its processes said it, or the manager says something about it. */
static bool is_of_unit(const LogRecord *record, const char *unit) {
        static const char *const names[] = { "UNIT", "_SYSTEMD_UNIT", "OBJECT_SYSTEMD_UNIT" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const LogField *field = log_record_find(record, names[i]);

                if (field && log_field_equals(field, unit))
                        return true;
        }
        return false;
}

static bool has_value(const LogRecord *record, const char *name, size_t name_length, const char *value) {
        for (size_t i = 0; i < record->n_fields; i++)
                if (strncmp(record->fields[i].name, name, name_length) == 0 &&
                    record->fields[i].name[name_length] == '\0' &&
                    log_field_equals(&record->fields[i], value))
                        return true;
        return false;
}

/* Every field that is named has one of the values that are given for it. */
static bool has_matches(const LogRecord *record, const char *const *matches) {
        for (const char *const *match = matches; match && *match; match++) {
                const size_t length = strcspn(*match, "=");
                bool any = false;

                for (const char *const *other = matches; *other && !any; other++)
                        any = strncmp(*other, *match, length + 1) == 0 &&
                              has_value(record, *match, length, *other + length + 1);
                if (!any)
                        return false;
        }
        return true;
}

static bool is_asked_for(const LogRecord *record, const LogQuery *query) {
        bool found = !query->units || !query->units[0];

        for (const char *const *unit = query->units; !found && *unit; unit++)
                found = is_of_unit(record, *unit);
        return found && has_matches(record, query->matches);
}

/* Reading them all */

typedef struct Reading {
        const LogQuery *query;
        int (*on_record)(const LogRecord *record, void *userdata);
        void *userdata;
        LogRecord *last; /* a ring of those that may be the last of this file; NULL: all are wanted */
        size_t n_last, n_seen;
        LogRecord *found; /* the last ones, newest first */
        size_t n_found;
} Reading;

static int take(Reading *reading, LogRecord *record) {
        if (!is_asked_for(record, reading->query)) {
                log_record_done(record);
                return 0;
        }
        if (!reading->last) {
                const int r = reading->on_record(record, reading->userdata);

                log_record_done(record);
                return r < 0 ? r : 0;
        }
        LogRecord *place = &reading->last[reading->n_seen++ % reading->n_last];
        log_record_done(place);
        *place = *record;
        return 0;
}

static int read_file(Reading *reading, int dir_fd, const char *name, Reason *reason) {
        _cleanup_(freep) Parts *parts = calloc(1, sizeof(*parts));
        Input input = {};
        LogRecord record;
        int r;

        if (!parts)
                return -ENOMEM;
        const int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : reason_set(reason, -errno, "Cannot open %s: %m", name);
        input.file = fdopen(fd, "re");
        if (!input.file) {
                (void)fd_close(fd);
                return -errno;
        }
        while ((r = read_record(&input, parts, &record)) > 0) {
                r = take(reading, &record);
                if (r < 0)
                        break;
        }
        (void)fclose(input.file);
        free(input.line);
        free(parts->data);
        return r == -EBADMSG ? reason_set(reason, r, "%s is damaged: it is no export of a journal", name) : r;
}

/* By their numbers, which have leading zeros. */
static int list_files(int dir_fd, char ***ret) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        const struct dirent *entry;
        int r = 0;

        const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory) {
                (void)fd_close(fd);
                return -errno;
        }
        while (r >= 0 && (entry = readdir(directory)))
                if (text_ends_with(entry->d_name, SUFFIX))
                        r = strv_append(&names, entry->d_name);
        if (r >= 0) {
                strv_sort(names);
                r = strv_append(&names, CURRENT);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

/* Moves the last ones of a file behind those of later files. */
static int keep_last(Reading *reading) {
        const size_t n = MIN(reading->n_seen, reading->n_last);
        LogRecord *more = reallocarray(reading->found, reading->n_found + MAX(n, (size_t)1), sizeof(*more));

        if (!more)
                return -ENOMEM;
        reading->found = more;
        for (size_t i = 0; i < n; i++) {
                LogRecord *record = &reading->last[(reading->n_seen - 1 - i) % reading->n_last];

                reading->found[reading->n_found++] = *record;
                *record = (LogRecord){};
        }
        reading->n_seen = 0;
        reading->n_last -= n;
        return 0;
}

static void reading_done(Reading *reading) {
        for (size_t i = 0; reading->last && i < reading->query->n_last; i++)
                log_record_done(&reading->last[i]);
        for (size_t i = 0; i < reading->n_found; i++)
                log_record_done(&reading->found[i]);
        free(reading->last);
        free(reading->found);
}

/* From the latest file back, so that no more is read than is asked for. */
static int read_last(Reading *reading, int dir_fd, char *const *names, Reason *reason) {
        int r = 0;

        reading->last = calloc(reading->n_last, sizeof(*reading->last));
        if (!reading->last)
                return -ENOMEM;
        for (size_t i = strv_length(STRV(names)); r >= 0 && i-- > 0 && reading->n_last > 0;) {
                r = read_file(reading, dir_fd, names[i], reason);
                if (r >= 0)
                        r = keep_last(reading);
        }
        for (size_t i = reading->n_found; r >= 0 && i-- > 0;)
                r = reading->on_record(&reading->found[i], reading->userdata);
        return r < 0 ? r : 0;
}

int log_store_read(const char *directory, const LogQuery *query,
                   int (*on_record)(const LogRecord *record, void *userdata), void *userdata,
                   Reason *reason) {
        _cleanup_(reading_done) Reading reading = {
                .query = query, .on_record = on_record, .userdata = userdata, .n_last = query->n_last
        };
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir_fd < 0)
                return reason_set(reason, -errno, "Cannot open the directory of the log, %s: %m", directory);
        if (query->n_last == 0)
                return 0;
        int r = list_files(dir_fd, &names);
        if (r < 0)
                return r;
        if (query->n_last != SIZE_MAX)
                return read_last(&reading, dir_fd, names, reason);
        for (char **name = names; r >= 0 && *name; name++)
                r = read_file(&reading, dir_fd, *name, reason);
        return r;
}
