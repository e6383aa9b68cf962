/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "log/log-file.h"

#define NUMBER_DIGITS 20
#define SCAN_SIZE     ((size_t)(64 * KIB)) /* what is read at a time where no index helps */
#define ENTRIES_READ  1024                 /* of an index, at a time */

static_assert(sizeof(LOG_INDEX_MAGIC) - 1 == LOG_INDEX_ENTRY_SIZE, "It takes the place of an entry");

/* Names */

uint64_t log_file_number(const char *name) {
        uint64_t number = 0;
        size_t n = 0;

        for (; name[n] >= '0' && name[n] <= '9' && n <= NUMBER_DIGITS; n++)
                if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
                    __builtin_add_overflow(number, (uint64_t)(name[n] - '0'), &number))
                        return 0;
        return n == NUMBER_DIGITS && text_equal(name + n, LOG_FILE_SUFFIX) ? number : 0;
}

void log_file_name(uint64_t number, const char *suffix, char ret[static LOG_FILE_NAME_MAX]) {
        (void)snprintf(ret, LOG_FILE_NAME_MAX, "%0*" PRIu64 "%s", NUMBER_DIGITS, number, suffix);
}

static int compare_numbers(const void *a, const void *b) {
        const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

        return (one > other) - (one < other);
}

int log_files_list(int dir_fd, uint64_t **ret, size_t *ret_n) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        _cleanup_(freep) uint64_t *numbers = NULL;
        const struct dirent *entry;
        size_t n = 0;

        const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory) {
                (void)fd_close(fd);
                return -ENOMEM;
        }
        while ((entry = readdir(directory))) {
                const uint64_t number = log_file_number(entry->d_name);

                if (number == 0)
                        continue;
                uint64_t *const more = reallocarray(numbers, n + 1, sizeof(*numbers));
                if (!more)
                        return -ENOMEM;
                numbers = more;
                numbers[n++] = number;
        }
        if (n > 0)
                qsort(numbers, n, sizeof(*numbers), compare_numbers);
        *ret = TAKE_PTR(numbers);
        *ret_n = n;
        return 0;
}

/* Entries */

void log_entry_encode(const LogEntry *entry, uint8_t bytes[static LOG_INDEX_ENTRY_SIZE]) {
        const uint64_t numbers[] = { htole64(entry->end), htole64(entry->realtime_usec),
                                     htole64(entry->unit) };

        memcpy(bytes, numbers, sizeof(numbers));
}

void log_entry_decode(const uint8_t bytes[static LOG_INDEX_ENTRY_SIZE], LogEntry *ret) {
        uint64_t numbers[3];

        memcpy(numbers, bytes, sizeof(numbers));
        *ret = (LogEntry){ le64toh(numbers[0]), le64toh(numbers[1]), le64toh(numbers[2]) };
}

/* FNV-1a: two units of one number cost a look at the record, and nothing else. */
uint64_t log_unit_hash(const char *unit, size_t size) {
        uint64_t hash = UINT64_C(14695981039346656037);

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ (uint8_t)unit[i]) * UINT64_C(1099511628211);
        return hash <= LOG_UNIT_NONE ? hash + 2 : hash;
}

static bool names_unit(const char *name, size_t length) {
        static const char *const names[] = { "UNIT", "_SYSTEMD_UNIT", "OBJECT_SYSTEMD_UNIT" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
                        return true;
        return false;
}

static void add_unit(uint64_t *hash, const char *unit, size_t size) {
        const uint64_t more = log_unit_hash(unit, size);

        *hash = *hash == LOG_UNIT_NONE || *hash == more ? more : LOG_UNIT_ANY;
}

uint64_t log_unit_of_fields(const LogField *fields, size_t n_fields) {
        uint64_t hash = LOG_UNIT_NONE;

        for (size_t i = 0; i < n_fields; i++)
                if (names_unit(fields[i].name, strlen(fields[i].name)))
                        add_unit(&hash, fields[i].value,
                                 fields[i].size == SIZE_MAX ? strlen(fields[i].value) : fields[i].size);
        return hash;
}

/* Records */

/* A part of a record, as offsets. */
typedef struct Part {
        size_t name, name_length, value, value_length;
} Part;

static bool is_name(const char *name, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (!((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= '0' && name[i] <= '9') ||
                      name[i] == '_'))
                        return false;
        return length > 0;
}

/* The length, lowest byte first, the bytes, and the end of the line. */
static int next_binary(const char *data, size_t size, size_t *position, Part *ret) {
        uint64_t length;

        if (size - *position < sizeof(length))
                return 0;
        memcpy(&length, data + *position, sizeof(length));
        length = le64toh(length);
        *position += sizeof(length);
        if (length >= LOG_RECORD_SIZE_MAX)
                return -EBADMSG;
        if (size - *position <= length)
                return 0;
        ret->value = *position;
        ret->value_length = length;
        *position += length + 1;
        return data[*position - 1] == '\n' ? 1 : -EBADMSG;
}

/* 1 with the part that is next; an empty name: it is the end of the record. 0: it goes on behind the bytes. */
static int next_part(const char *data, size_t size, size_t *position, Part *ret) {
        const size_t left = size - *position;
        const char *const line = data + *position, *const end = left > 0 ? memchr(line, '\n', left) : NULL;

        if (!end)
                return 0;
        const size_t length = (size_t)(end - line);
        const char *const equals = memchr(line, '=', length);
        *ret = (Part){ .name = *position, .name_length = equals ? (size_t)(equals - line) : length };
        *position += length + 1;
        if (length == 0)
                return 1;
        if (!is_name(line, ret->name_length))
                return -EBADMSG;
        if (!equals)
                return next_binary(data, size, position, ret);
        ret->value = ret->name + ret->name_length + 1;
        ret->value_length = length - ret->name_length - 1;
        return 1;
}

static bool is_called(const char *data, const Part *part, const char *name) {
        return part->name_length == strlen(name) && memcmp(data + part->name, name, part->name_length) == 0;
}

static uint64_t read_number(const char *digits, size_t n) {
        uint64_t number = 0;

        for (size_t i = 0; i < MIN(n, (size_t)19) && digits[i] >= '0' && digits[i] <= '9'; i++)
                number = number * 10 + (uint64_t)(digits[i] - '0');
        return number;
}

int log_record_measure(const char *data, size_t size, LogEntry *ret) {
        LogEntry entry = { .unit = LOG_UNIT_NONE };
        size_t position = 0, n_parts = 0;
        Part part;

        for (;;) {
                const int r = next_part(data, size, &position, &part);
                if (r <= 0)
                        return r;
                if (position > LOG_RECORD_SIZE_MAX)
                        return -EBADMSG;
                if (part.name_length == 0 && n_parts == 0)
                        continue; /* an empty line in front of it */
                if (part.name_length == 0)
                        break;
                if (++n_parts > LOG_FIELDS_MAX)
                        return -EBADMSG;
                if (is_called(data, &part, "__REALTIME_TIMESTAMP"))
                        entry.realtime_usec = read_number(data + part.value, part.value_length);
                else if (names_unit(data + part.name, part.name_length))
                        add_unit(&entry.unit, data + part.value, part.value_length);
        }
        entry.end = position;
        *ret = entry;
        return 1;
}

int log_record_split(char *data, size_t size, LogRecord *record) {
        size_t position = 0;
        Part part;

        record->n_fields = 0;
        record->realtime_usec = 0;
        while (position < size) {
                if (next_part(data, size, &position, &part) <= 0)
                        return -EBADMSG;
                if (part.name_length == 0 && (record->n_fields == 0 || position == size))
                        continue;
                if (part.name_length == 0 || record->n_fields == LOG_FIELDS_MAX)
                        return -EBADMSG;
                if (is_called(data, &part, "__REALTIME_TIMESTAMP"))
                        record->realtime_usec = read_number(data + part.value, part.value_length);
                data[part.name + part.name_length] = data[part.value + part.value_length] = '\0';
                record->fields[record->n_fields++] = (LogField){ .name = data + part.name,
                                                                 .value = data + part.value,
                                                                 .size = part.value_length };
        }
        return record->n_fields > 0 ? 0 : -EBADMSG;
}

/* One file */

static int add_entry(LogFile *file, const LogEntry *entry) {
        if (file->n_entries == file->n_allocated) {
                const size_t n = MAX(2 * file->n_allocated, (size_t)ENTRIES_READ);
                LogEntry *const more = reallocarray(file->entries, n, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                file->entries = more;
                file->n_allocated = n;
        }
        file->entries[file->n_entries++] = *entry;
        return 0;
}

static uint64_t end_of(const LogFile *file) {
        return file->n_entries > 0 ? file->entries[file->n_entries - 1].end : 0;
}

/* An index may tell of more than there is, when the machine went down: what does not fit ends it. */
static bool entry_fits(const LogFile *file, const LogEntry *entry, uint64_t size) {
        return entry->end > end_of(file) && entry->end <= size &&
               entry->end - end_of(file) <= LOG_RECORD_SIZE_MAX;
}

/* The entry of a record has the record's place in the index, wherever it was known from before. */
static int read_index(LogFile *file, int dir_fd, uint64_t size) {
        uint8_t bytes[ENTRIES_READ * LOG_INDEX_ENTRY_SIZE];
        char name[LOG_FILE_NAME_MAX];

        if (file->index_fd < 0) {
                log_file_name(file->number, LOG_INDEX_SUFFIX, name);
                file->index_fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                if (file->index_fd < 0)
                        return errno == ENOMEM ? -ENOMEM : 0;
        }
        if (pread(file->index_fd, bytes, LOG_INDEX_ENTRY_SIZE, 0) != LOG_INDEX_ENTRY_SIZE ||
            memcmp(bytes, LOG_INDEX_MAGIC, LOG_INDEX_ENTRY_SIZE) != 0)
                return 0;
        for (;;) {
                const ssize_t n = pread(file->index_fd, bytes, sizeof(bytes),
                                        (off_t)((file->n_entries + 1) * LOG_INDEX_ENTRY_SIZE));
                if (n < LOG_INDEX_ENTRY_SIZE)
                        return n < 0 ? -errno : 0;
                for (size_t i = 0; i < (size_t)n / LOG_INDEX_ENTRY_SIZE; i++) {
                        LogEntry entry;

                        log_entry_decode(bytes + i * LOG_INDEX_ENTRY_SIZE, &entry);
                        if (!entry_fits(file, &entry, size))
                                return 0;
                        const int r = add_entry(file, &entry);
                        if (r < 0)
                                return r;
                }
        }
}

/* Takes note of the records that bytes of the file hold; tells where the one begins that they do not hold the end of. */
static int take_records(LogFile *file, const char *data, size_t size, size_t *ret_taken) {
        const uint64_t start = end_of(file);
        size_t taken = 0;
        int r;

        for (;;) {
                LogEntry entry;

                r = log_record_measure(data + taken, size - taken, &entry);
                if (r <= 0)
                        break;
                taken += entry.end;
                entry.end = start + taken;
                r = add_entry(file, &entry);
                if (r < 0)
                        break;
        }
        *ret_taken = taken;
        return r;
}

/* What no index tells of: at most the last record if all went well. */
static int scan(LogFile *file, uint64_t size) {
        _cleanup_(freep) char *data = NULL;
        size_t wanted = SCAN_SIZE;

        while (end_of(file) < size) {
                const uint64_t left = size - end_of(file);
                size_t taken;

                free(data);
                data = malloc(MIN(wanted, left));
                if (!data)
                        return -ENOMEM;
                const ssize_t n = pread(file->data_fd, data, MIN(wanted, left), (off_t)end_of(file));
                if (n < 0)
                        return -errno;
                const int r = take_records(file, data, (size_t)n, &taken);
                file->damaged = r == -EBADMSG;
                if (r < 0)
                        return file->damaged ? 0 : r;
                if (taken > 0)
                        continue;
                /* It goes on behind what was read, or is not written yet. */
                if ((uint64_t)n == left || (size_t)n < wanted)
                        return 0;
                wanted *= 2;
        }
        return 0;
}

int log_file_update(LogFile *file, int dir_fd) {
        struct stat status;

        if (fstat(file->data_fd, &status) < 0)
                return -errno;
        const uint64_t size = (uint64_t)status.st_size;
        while (end_of(file) > size)
                file->n_entries--; /* the disk was full, and what was begun was taken back */
        if (end_of(file) == size)
                return 0;
        const int r = read_index(file, dir_fd, size);
        return r < 0 ? r : scan(file, size);
}

int log_file_open(LogFile *file, int dir_fd, uint64_t number) {
        char name[LOG_FILE_NAME_MAX];
        struct stat status;

        log_file_close(file);
        log_file_name(number, LOG_FILE_SUFFIX, name);
        const int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
                (void)fd_close(fd);
                return -ENOENT;
        }
        file->data_fd = fd;
        file->index_fd = -EBADF;
        file->number = number;
        return log_file_update(file, dir_fd);
}

void log_file_close(LogFile *file) {
        if (file->number == 0)
                return;
        file->data_fd = fd_close(file->data_fd);
        file->index_fd = fd_close(file->index_fd);
        file->n_entries = 0;
        file->number = 0;
        file->damaged = false;
}

void log_file_done(LogFile *file) {
        log_file_close(file);
        free(file->entries);
        *file = (LogFile){ .data_fd = -EBADF, .index_fd = -EBADF };
}
