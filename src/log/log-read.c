/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "log/log-file.h"

#define BLOCK_SIZE ((size_t)(256 * KIB))

const LogField *log_record_find(const LogRecord *record, const char *name) {
        for (size_t i = 0; i < record->n_fields; i++)
                if (text_equal(record->fields[i].name, name))
                        return &record->fields[i];
        return NULL;
}

bool log_field_equals(const LogField *field, const char *value) {
        return field->size == strlen(value) && memcmp(field->value, value, field->size) == 0;
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

static bool has_priority(const LogRecord *record, unsigned n_priorities) {
        const LogField *const field = log_record_find(record, "PRIORITY");
        const char *const digit = field && field->size == 1 ? field->value : NULL;

        return digit && *digit >= '0' && (unsigned)(*digit - '0') < n_priorities;
}

static bool is_asked_for(const LogRecord *record, const LogQuery *query) {
        bool found = !query->units || !query->units[0];

        if (query->n_priorities > 0 && !has_priority(record, query->n_priorities))
                return false;

        for (const char *const *unit = query->units; !found && *unit; unit++)
                found = is_of_unit(record, *unit);
        return found && has_matches(record, query->matches);
}

/* What the index says of it, so that it need not be read. */
static bool may_be_asked_for(const LogEntry *entry, const LogQuery *query) {
        if (entry->realtime_usec < query->since_usec ||
            (query->until_usec > 0 && entry->realtime_usec > query->until_usec))
                return false;
        if (!query->units || !query->units[0] || entry->unit == LOG_UNIT_ANY)
                return true;
        for (const char *const *unit = query->units; *unit; unit++)
                if (log_unit_hash(*unit, strlen(*unit)) == entry->unit)
                        return true;
        return false;
}

/* A place between two records, and what is read there */

typedef struct Reader {
        const LogQuery *query;
        int dir_fd;
        LogFile file;
        size_t next; /* of the file's entries */
        char *block; /* a piece of the file */
        size_t block_size, block_allocated;
        uint64_t block_start;
        char *text; /* of the record, which is taken apart there */
        size_t text_allocated;
        LogRecord record;
        size_t n_damaged;
} Reader;

static void reader_done(Reader *reader) {
        log_file_done(&reader->file);
        (void)fd_close(reader->dir_fd);
        free(reader->block);
        free(reader->text);
        free(reader->record.fields);
}

static int make_room(char **memory, size_t *allocated, size_t size) {
        if (*allocated >= size)
                return 0;
        char *const more = realloc(*memory, size);
        if (!more)
                return -ENOMEM;
        *memory = more;
        *allocated = size;
        return 0;
}

/* With what is in front of it or behind it: that is what will be asked for next. */
static int read_block(Reader *reader, uint64_t start, uint64_t end, bool backwards) {
        const uint64_t size = MAX(end - start, (uint64_t)BLOCK_SIZE);

        if (reader->block && start >= reader->block_start && end <= reader->block_start + reader->block_size)
                return 0;
        const int r = make_room(&reader->block, &reader->block_allocated, size);
        if (r < 0)
                return r;
        reader->block_start = !backwards ? start : end > size ? end - size : 0;
        const ssize_t n = pread(reader->file.data_fd, reader->block, size, (off_t)reader->block_start);
        reader->block_size = n < 0 ? 0 : (size_t)n;
        return n < 0 ? -errno : end > reader->block_start + reader->block_size ? -EBADMSG : 0;
}

static int read_record(Reader *reader, size_t i, bool backwards) {
        const uint64_t start = i > 0 ? reader->file.entries[i - 1].end : 0, end = reader->file.entries[i].end;

        int r = read_block(reader, start, end, backwards);
        if (r >= 0)
                r = make_room(&reader->text, &reader->text_allocated, end - start);
        if (r < 0)
                return r;
        memcpy(reader->text, reader->block + (start - reader->block_start), end - start);
        return log_record_split(reader->text, end - start, &reader->record);
}

/* 1 when it is asked for. */
static int look_at(Reader *reader, size_t i, bool backwards) {
        if (!may_be_asked_for(&reader->file.entries[i], reader->query))
                return 0;
        const int r = read_record(reader, i, backwards);
        if (r == -EBADMSG) {
                reader->n_damaged++;
                return 0;
        }
        return r < 0 ? r : is_asked_for(&reader->record, reader->query);
}

static int open_file(Reader *reader, uint64_t number) {
        reader->n_damaged += reader->file.damaged;
        reader->block_size = 0;
        return log_file_open(&reader->file, reader->dir_fd, number);
}

/* Opens the file in front of the one that is open, or behind it; without one the last, or the first. 0: there is none. */
static int move(Reader *reader, bool backwards) {
        _cleanup_(freep) uint64_t *numbers = NULL;
        uint64_t found = 0, at = reader->file.number;
        size_t n;

        int r = log_files_list(reader->dir_fd, &numbers, &n);
        for (;;) {
                if (r < 0)
                        return r;
                found = 0;
                for (size_t i = 0; i < n; i++)
                        if (backwards ? at == 0 || numbers[i] < at : numbers[i] > at && found == 0)
                                found = numbers[i];
                if (found == 0)
                        return 0;
                r = open_file(reader, found);
                if (r != -ENOENT)
                        break;
                at = found; /* it was removed meanwhile */
                r = 0;
        }
        reader->next = backwards ? reader->file.n_entries : 0;
        return r < 0 ? r : 1;
}

/* 1 with the next record that is asked for; 0 at the end. */
static int read_next(Reader *reader) {
        for (;;) {
                while (reader->file.number > 0 && reader->next < reader->file.n_entries) {
                        const int r = look_at(reader, reader->next++, false);
                        if (r != 0)
                                return r;
                }
                const size_t known = reader->file.n_entries;
                int r = reader->file.number > 0 ? log_file_update(&reader->file, reader->dir_fd) : 0;
                if (r >= 0 && (reader->file.number == 0 || reader->file.n_entries == known))
                        r = move(reader, false);
                else if (r >= 0)
                        r = 1;
                if (r <= 0)
                        return r;
        }
}

/* The same, the other way; the place is then in front of the record. */
static int read_previous(Reader *reader) {
        for (;;) {
                while (reader->file.number > 0 && reader->next > 0) {
                        const int r = look_at(reader, --reader->next, true);
                        if (r != 0)
                                return r;
                }
                const int r = move(reader, true);
                if (r <= 0)
                        return r;
        }
}

static int give(Reader *reader, size_t n, int (*read)(Reader *reader),
                int (*on_record)(const LogRecord *record, void *userdata), void *userdata) {
        int r = 0;

        for (size_t i = 0; i < n && (r = read(reader)) > 0; i++) {
                r = on_record(&reader->record, userdata);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}

/* Goes back over the last n, and tells how many there are. */
static int go_back(Reader *reader, size_t n, size_t *ret) {
        size_t found = 0;
        int r = 1;

        while (found < n && (r = read_previous(reader)) > 0)
                found++;
        *ret = found;
        return r < 0 ? r : 0;
}

/* 1 when something was written; 0 when there is nobody any more to read it, or nothing to be read. */
static int wait_for_more(int watch_fd, int hangup_fd) {
        struct pollfd fds[] = { { .fd = watch_fd, .events = POLLIN }, { .fd = hangup_fd } };
        char events[16 * KIB];

        if (poll(fds, ELEMENTSOF(fds), -1) < 0)
                return errno == EINTR ? 1 : -errno;
        if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
                return 0;
        const ssize_t n = read(watch_fd, events, sizeof(events));
        for (ssize_t i = 0; i < n;) {
                const struct inotify_event *const event = (const void *)(events + i);

                if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
                        return 0;
                i += (ssize_t)sizeof(*event) + event->len;
        }
        return 1;
}

static int follow(Reader *reader, int watch_fd, int (*on_record)(const LogRecord *record, void *userdata),
                  void *userdata) {
        int r;

        while ((r = wait_for_more(watch_fd, reader->query->hangup_fd)) > 0) {
                r = give(reader, SIZE_MAX, read_next, on_record, userdata);
                if (r < 0)
                        break;
        }
        return r;
}

static int watch_open(const char *directory) {
        _cleanup_(fd_closep) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd < 0 ||
            inotify_add_watch(fd, directory,
                              IN_MODIFY | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int log_store_read(const char *directory, const LogQuery *query,
                   int (*on_record)(const LogRecord *record, void *userdata), void *userdata,
                   Reason *reason) {
        _cleanup_(reader_done)
                Reader reader = { .query = query, .file = { .data_fd = -EBADF, .index_fd = -EBADF } };
        _cleanup_(fd_closep) int watch_fd = -EBADF;
        size_t n = query->n_last;
        int r = 0;

        reader.dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (reader.dir_fd < 0)
                return reason_set(reason, -errno, "Cannot open the directory of the log, %s: %m", directory);
        if (n == 0 && !query->follow)
                return 0;
        if (query->follow)
                watch_fd = watch_open(directory);
        if (query->follow && watch_fd < 0)
                return reason_set(reason, watch_fd, "Cannot watch the directory of the log, %s: %m",
                                  directory);
        reader.record.fields = calloc(LOG_FIELDS_MAX, sizeof(LogField));
        if (!reader.record.fields)
                return -ENOMEM;
        if (n != SIZE_MAX && !query->reverse) {
                r = n > 0 ? go_back(&reader, n, &n) : move(&reader, true);
                reader.n_damaged = 0; /* they are met again */
        }
        if (r >= 0)
                r = give(&reader, n, query->reverse ? read_previous : read_next, on_record, userdata);
        if (r >= 0 && query->follow)
                r = follow(&reader, watch_fd, on_record, userdata);
        reader.n_damaged += reader.file.damaged;
        if (r >= 0 && reader.n_damaged > 0)
                return reason_set(reason, -EBADMSG, "Records in %s are damaged, and were left out",
                                  directory);
        return r;
}
