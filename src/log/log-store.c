/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/time-span.h"
#include "log/log-file.h"
#include "log/log-forward.h"
#include "log/log-process.h"
#include "log/log-store.h"

/* Several processes may write: each holds an exclusive lock on the last file as long as a record takes. A file that has come to
 * its end can be written to by nobody (its mode says so), which is how others know that there is another one. */

#define MODE_OPEN  0640
#define MODE_ENDED 0440

#define MESSAGE_DROPPED "a596d6fe7bfa4994828e72309e95d61e" /* as systemd has it */

/* Fields of a process, as they are written. */
typedef struct ProcessText {
        pid_t pid; /* 0: of none */
        char *text;
        size_t size;
} ProcessText;

struct LogStore {
        int dir_fd, data_fd, index_fd;
        uint64_t number;  /* of the file; 0: none is open */
        uint64_t end;     /* of the last record that is known of */
        size_t n_entries; /* of the index */
        ProcessText own, other;
        LogForward forward;
        uint64_t n_lost; /* records that could not be written since it was last said */
        int lost_error;
        char boot_id[33], machine_id[33], host_name[65];
        uint64_t n_records; /* that this process has written: part of the cursor */
};

static uint64_t clock_usec(clockid_t clock) {
        struct timespec now;

        (void)clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * SECOND_USEC + (uint64_t)now.tv_nsec / 1000;
}

/* 32 hexadecimal digits, with or without dashes between them; "" when there are none. */
static void read_id(const char *path, char ret[static 33]) {
        _cleanup_(freep) char *text = NULL;
        size_t size, n = 0;

        ret[0] = '\0';
        if (file_read(AT_FDCWD, path, 4096, &text, &size) < 0)
                return;
        for (const char *from = text; *from && n < 32; from++)
                if (strchr("0123456789abcdef", *from))
                        ret[n++] = *from;
        ret[n == 32 ? n : 0] = '\0';
}

/* The last file */

static void close_file(LogStore *store) {
        store->data_fd = fd_close(store->data_fd);
        store->index_fd = fd_close(store->index_fd);
        store->number = store->end = store->n_entries = 0;
}

/* The records' file first: without an index it can be read, and an index without it would stay for ever. */
static int open_file(LogStore *store, uint64_t number) {
        const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
        char name[LOG_FILE_NAME_MAX];

        log_file_name(number, LOG_FILE_SUFFIX, name);
        store->data_fd = openat(store->dir_fd, name, flags, MODE_OPEN);
        if (store->data_fd < 0)
                return -errno;
        log_file_name(number, LOG_INDEX_SUFFIX, name);
        store->index_fd = openat(store->dir_fd, name, flags, MODE_OPEN);
        if (store->index_fd < 0)
                return -errno;
        store->number = number;
        return 0;
}

/* Behind `after`, or the last one that is there when that is another. Numbers grow also when the clock was set back. */
static int open_newest(LogStore *store, uint64_t after) {
        _cleanup_(freep) uint64_t *numbers = NULL;
        size_t n;

        close_file(store);
        const int r = log_files_list(store->dir_fd, &numbers, &n);
        if (r < 0)
                return r;
        const uint64_t last = n > 0 ? numbers[n - 1] : 0;
        if (last > after)
                return open_file(store, last);
        return open_file(store, MAX(clock_usec(CLOCK_REALTIME), after + 1));
}

static uint64_t size_of(int fd) {
        struct stat status;

        return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static int write_entry(LogStore *store, const LogEntry *entry) {
        uint8_t bytes[LOG_INDEX_ENTRY_SIZE];
        const off_t offset = (off_t)((store->n_entries + 1) * LOG_INDEX_ENTRY_SIZE);

        log_entry_encode(entry, bytes);
        const int r = fd_pwrite_all(store->index_fd, bytes, sizeof(bytes), (uint64_t)offset);
        if (r < 0) {
                (void)ftruncate(store->index_fd, offset);
                return r;
        }
        store->n_entries++;
        store->end = entry->end;
        return 0;
}

/* Where the index says that the records end; 0: it cannot be used. */
static int read_index_end(LogStore *store) {
        const uint64_t size = size_of(store->index_fd);
        uint8_t bytes[LOG_INDEX_ENTRY_SIZE];
        LogEntry entry = {};

        store->n_entries = store->end = 0;
        if (size < LOG_INDEX_ENTRY_SIZE) {
                if (size_of(store->data_fd) > 0)
                        return 0;
                const int r = fd_pwrite_all(store->index_fd, LOG_INDEX_MAGIC, LOG_INDEX_ENTRY_SIZE, 0);
                return r < 0 ? r : 1;
        }
        int r = fd_pread_all(store->index_fd, bytes, sizeof(bytes), 0);
        if (r < 0 || memcmp(bytes, LOG_INDEX_MAGIC, sizeof(bytes)) != 0)
                return 0;
        store->n_entries = (size_t)(size / LOG_INDEX_ENTRY_SIZE) - 1;
        if (store->n_entries == 0)
                return 1;
        r = fd_pread_all(store->index_fd, bytes, sizeof(bytes), store->n_entries * LOG_INDEX_ENTRY_SIZE);
        if (r < 0)
                return r;
        log_entry_decode(bytes, &entry);
        store->end = entry.end;
        return entry.end > 0 && entry.end <= size_of(store->data_fd);
}

/* Whoever was killed has left bytes behind the last record of the index: at most one record, whole or torn. It is kept, or cut.
 * 0: nobody can tell what there is, and the file is to be left as it is. */
static int take_tail(LogStore *store) {
        _cleanup_(freep) char *data = NULL;
        size_t taken = 0;

        int r = read_index_end(store);
        if (r <= 0)
                return r;
        const uint64_t left = size_of(store->data_fd) - store->end;
        if (left == 0)
                return 1;
        if (left > LOG_RECORD_SIZE_MAX)
                return 0;
        data = malloc(left);
        if (!data)
                return -ENOMEM;
        r = fd_pread_all(store->data_fd, data, left, store->end);
        while (r >= 0 && taken < left) {
                LogEntry entry;

                if (log_record_measure(data + taken, left - taken, &entry) <= 0)
                        break;
                taken += entry.end;
                entry.end += store->end;
                r = write_entry(store, &entry);
        }
        if (r < 0)
                return r;
        return taken == left || ftruncate(store->data_fd, (off_t)store->end) == 0 ? 1 : -errno;
}

/* Looks whether the file that is locked is to be written to: 1; 0: another one is. */
static int check_file(LogStore *store) {
        struct stat status;
        int r = 1;

        if (fstat(store->data_fd, &status) < 0)
                return -errno;
        if (status.st_nlink == 0 || (status.st_mode & S_IWUSR) == 0)
                return 0;
        if ((uint64_t)status.st_size != store->end || store->end == 0)
                r = take_tail(store);
        if (r > 0 && store->end < LOG_FILE_SIZE_MAX)
                return 1;
        if (r >= 0 && fchmod(store->data_fd, MODE_ENDED) < 0)
                r = -errno;
        return r < 0 ? r : 0;
}

static int remove_file(int dir_fd, uint64_t number) {
        char name[LOG_FILE_NAME_MAX];

        log_file_name(number, LOG_INDEX_SUFFIX, name);
        (void)unlinkat(dir_fd, name, 0);
        log_file_name(number, LOG_FILE_SUFFIX, name);
        return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

static uint64_t file_size(int dir_fd, uint64_t number) {
        char name[LOG_FILE_NAME_MAX];
        struct stat status;

        log_file_name(number, LOG_FILE_SUFFIX, name);
        return fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)status.st_size : 0;
}

/* Removes the oldest files, but never the one that is written to, until no more than size_max bytes are left in the others.
 * Returns how many went. */
static unsigned remove_oldest(const LogStore *store, uint64_t size_max) {
        _cleanup_(freep) uint64_t *numbers = NULL;
        uint64_t total = 0;
        unsigned n_removed = 0;
        size_t n;

        if (log_files_list(store->dir_fd, &numbers, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                total += numbers[i] != store->number ? file_size(store->dir_fd, numbers[i]) : 0;
        for (size_t i = 0; i < n && total > size_max; i++) {
                const uint64_t size = file_size(store->dir_fd, numbers[i]);

                if (numbers[i] == store->number || remove_file(store->dir_fd, numbers[i]) < 0)
                        continue;
                total -= MIN(size, total);
                n_removed++;
        }
        return n_removed;
}

/* The lock is held, on the file that is to be written to. */
static int lock_file(LogStore *store) {
        uint64_t ended = 0;

        for (;;) {
                int r = store->number == 0 ? open_newest(store, ended) : 0;
                if (r < 0)
                        return r;
                if (flock(store->data_fd, LOCK_EX) < 0)
                        return -errno;
                r = check_file(store);
                if (r < 0)
                        return r;
                if (r > 0 && ended > 0)
                        (void)remove_oldest(store, LOG_STORE_SIZE_MAX - LOG_FILE_SIZE_MAX);
                if (r > 0)
                        return 0;
                ended = store->number;
                close_file(store);
        }
}

static void unlock_file(const LogStore *store) {
        if (store->data_fd >= 0)
                (void)flock(store->data_fd, LOCK_UN);
}

int log_store_open(const char *directory, LogStore **ret, Reason *reason) {
        _cleanup_(log_store_freep) LogStore *store = calloc(1, sizeof(*store));

        if (!store)
                return -ENOMEM;
        store->dir_fd = store->data_fd = store->index_fd = store->forward.fd = -EBADF;
        store->forward.path = LOG_FORWARD_SOCKET;
        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return reason_set(reason, -errno, "Cannot make the directory of the log, %s: %m", directory);
        store->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->dir_fd < 0)
                return reason_set(reason, -errno, "Cannot open the directory of the log, %s: %m", directory);
        const int r = lock_file(store);
        if (r < 0)
                return reason_set(reason, r, "Cannot write the log in %s: %m", directory);
        unlock_file(store);
        read_id("/proc/sys/kernel/random/boot_id", store->boot_id);
        read_id("/etc/machine-id", store->machine_id);
        if (gethostname(store->host_name, sizeof(store->host_name) - 1) < 0)
                store->host_name[0] = '\0';
        *ret = TAKE_PTR(store);
        return 0;
}

void log_store_free(LogStore *store) {
        if (!store)
                return;
        (void)fd_close(store->dir_fd);
        close_file(store);
        free(store->own.text);
        free(store->other.text);
        (void)fd_close(store->forward.fd);
        free(store);
}

/* Writing */

/* As a line if the value is text without line ends, else with its length in front: a 64-bit number, lowest byte first. */
void log_field_write(FILE *file, const LogField *field) {
        const size_t size = field->size == SIZE_MAX ? strlen(field->value) : field->size;
        const uint8_t *bytes = field->value;
        bool text = true;

        for (size_t i = 0; text && i < size; i++)
                text = bytes[i] >= ' ' || bytes[i] == '\t';
        (void)fputs(field->name, file);
        if (text)
                (void)fputc('=', file);
        else {
                (void)fputc('\n', file);
                for (unsigned shift = 0; shift < 64; shift += 8)
                        (void)fputc((int)(((uint64_t)size >> shift) & 0xff), file);
        }
        (void)fwrite(bytes, 1, size, file);
        (void)fputc('\n', file);
}

static void write_address(FILE *file, LogStore *store, uint64_t realtime) {
        const uint64_t monotonic = clock_usec(CLOCK_MONOTONIC);

        (void)fprintf(file, "__CURSOR=i=%" PRIx64 ";p=%x;b=%s;m=%" PRIx64 ";t=%" PRIx64 "\n",
                      store->n_records, (unsigned)getpid(), store->boot_id, monotonic, realtime);
        (void)fprintf(file, "__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64 "\n", realtime,
                      monotonic);
        (void)fprintf(file, "_SOURCE_REALTIME_TIMESTAMP=%" PRIu64 "\n", realtime);
        if (store->boot_id[0])
                (void)fprintf(file, "_BOOT_ID=%s\n", store->boot_id);
        if (store->machine_id[0])
                (void)fprintf(file, "_MACHINE_ID=%s\n", store->machine_id);
        if (store->host_name[0])
                (void)fprintf(file, "_HOSTNAME=%s\n", store->host_name);
}

/* All or nothing. */
static int append_once(LogStore *store, const char *text, size_t size, const LogEntry *entry) {
        const uint64_t before = store->end;

        int r = fd_pwrite_all(store->data_fd, text, size, before);
        if (r >= 0)
                r = write_entry(store, entry);
        if (r < 0 && ftruncate(store->data_fd, (off_t)before) < 0)
                store->end = 0; /* to be looked at again */
        return r;
}

/* When the disk is full the oldest records make room for the newest. */
static int append(LogStore *store, const char *text, size_t size, LogEntry entry) {
        entry.end = store->end + size;
        const int r = append_once(store, text, size, &entry);
        if ((r != -ENOSPC && r != -EDQUOT) || remove_oldest(store, 0) == 0)
                return r;
        return append_once(store, text, size, &entry);
}

void log_store_ask_anew(LogStore *store) {
        store->other.pid = 0;
}

/* Asking the kernel costs more than all the rest of a record. */
static int write_process(FILE *file, LogStore *store, pid_t pid) {
        ProcessText *const known = pid == 0 ? &store->own : &store->other;

        pid = pid == 0 ? getpid() : pid;
        if (known->pid != pid) {
                known->pid = 0;
                free(known->text);
                known->text = NULL;
                FILE *text = open_memstream(&known->text, &known->size);
                if (!text)
                        return -errno;
                const int r = log_process_write(text, pid);
                if (fclose(text) != 0 || r < 0)
                        return r < 0 ? r : -ENOMEM;
                known->pid = pid;
        }
        (void)fwrite(known->text, 1, known->size, file);
        return 0;
}

static int write_record(LogStore *store, pid_t pid, const LogField *fields, size_t n_fields) {
        const LogEntry entry = { .realtime_usec = clock_usec(CLOCK_REALTIME),
                                 .unit = log_unit_of_fields(fields, n_fields) };
        _cleanup_(freep) char *text = NULL;
        size_t size;

        FILE *file = open_memstream(&text, &size);
        if (!file)
                return -errno;
        write_address(file, store, entry.realtime_usec);
        int r = write_process(file, store, pid);
        for (size_t i = 0; i < n_fields; i++)
                log_field_write(file, &fields[i]);
        (void)fputc('\n', file);
        if (fclose(file) != 0 || r < 0)
                return r < 0 ? r : -ENOMEM;
        if (size >= LOG_RECORD_SIZE_MAX)
                return -E2BIG; /* it could not be read again */

        log_forward(&store->forward, fields, n_fields);
        r = lock_file(store);
        if (r >= 0)
                r = append(store, text, size, entry);
        unlock_file(store);
        store->n_records++;
        return r;
}

/* What is lost is said, once, as soon as something can be said again. */
static void say_lost(LogStore *store, uint64_t n, const char *text) {
        _cleanup_(freep) char *message = NULL, *number = NULL;

        if (text_format(&message, "%" PRIu64 " record%s %s", n, n == 1 ? "" : "s", text) < 0 ||
            text_format(&number, "%" PRIu64, n) < 0)
                return;
        const LogField fields[] = { { "MESSAGE", message, SIZE_MAX },
                                    { "PRIORITY", "4", SIZE_MAX },
                                    { "SYSLOG_IDENTIFIER", "mkosi-manager", SIZE_MAX },
                                    { "MESSAGE_ID", MESSAGE_DROPPED, SIZE_MAX },
                                    { "N_DROPPED", number, SIZE_MAX },
                                    { "_TRANSPORT", "driver", SIZE_MAX } };
        (void)write_record(store, 0, fields, ELEMENTSOF(fields));
}

int log_store_write(LogStore *store, pid_t pid, const LogField *fields, size_t n_fields) {
        _cleanup_(freep) char *text = NULL;

        const int r = write_record(store, pid, fields, n_fields);
        if (r < 0) {
                store->n_lost++;
                store->lost_error = r;
                return r;
        }
        const uint64_t n_lost = store->n_lost, n_not_sent = log_forward_take_lost(&store->forward);
        store->n_lost = 0;
        if (n_lost > 0 &&
            text_format(&text, "could not be written to the log: %s", strerror(-store->lost_error)) >= 0)
                say_lost(store, n_lost, text);
        if (n_not_sent > 0)
                say_lost(store, n_not_sent, "could not be sent to journald: this log has them");
        return 0;
}
