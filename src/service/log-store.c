/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "service/log-forward.h"
#include "service/log-process.h"
#include "service/log-store.h"

/* Files of the store: "current", and "NUMBER.export", where the number is the time at which it was full. Several
 * processes may write: each holds an exclusive lock on the file that has the name "current" as long as a record takes. In
 * "whole" is how much of "current" has been read and found to be whole records, so that not all is read again whenever it is
 * opened: one line, which is of no use if it is cut off. */

#define CURRENT "current"
#define WHOLE   "whole"
#define SUFFIX  ".export"

#define NUMBER_DIGITS 20
#define WHOLE_STEP    (64 * KIB) /* which is read sooner than the other file is written */

struct LogStore {
        int dir_fd, file_fd;
        int forward_fd;
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

/* 0: nothing is known. */
static uint64_t whole_read(const LogStore *store, const struct stat *file) {
        _cleanup_(freep) char *text = NULL;
        uintmax_t inode;
        uint64_t whole;
        char end;

        if (file_read(store->dir_fd, WHOLE, 4096, &text, NULL) < 0 ||
            sscanf(text, "%" SCNuMAX " %" SCNu64 "%c", &inode, &whole, &end) != 3 || end != '\n')
                return 0;
        return inode == file->st_ino && whole <= (uint64_t)file->st_size ? whole : 0;
}

static void whole_write(const LogStore *store, const struct stat *file, uint64_t whole) {
        char text[64];

        (void)snprintf(text, sizeof(text), "%ju %" PRIu64 "\n", (uintmax_t)file->st_ino, whole);
        (void)file_write_text(store->dir_fd, WHOLE, text, 0640);
}

/* What a crash has left behind the last whole record goes. Where that ends is known from the beginning of the file on: values
 * may hold anything, also what looks like the end of a record. */
static int cut_torn_record(const LogStore *store) {
        struct stat file;
        uint64_t whole;

        if (fstat(store->file_fd, &file) < 0)
                return -errno;
        const uint64_t known = whole_read(store, &file);
        const int r = log_file_measure(store->file_fd, known, &whole);
        if (r < 0)
                return r;
        if (whole - known >= WHOLE_STEP)
                whole_write(store, &file, whole);
        return (uint64_t)file.st_size == whole || ftruncate(store->file_fd, (off_t)whole) == 0 ? 0 : -errno;
}

/* Opens "current", which is the file of that name when the lock is held. */
static int lock_current(LogStore *store) {
        for (;;) {
                struct stat file, named;

                if (store->file_fd < 0)
                        store->file_fd = openat(store->dir_fd, CURRENT,
                                                O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
                if (store->file_fd < 0)
                        return -errno;
                if (flock(store->file_fd, LOCK_EX) < 0)
                        return -errno;
                if (fstat(store->file_fd, &file) < 0)
                        return -errno;
                if (fstatat(store->dir_fd, CURRENT, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                    file.st_ino == named.st_ino && file.st_dev == named.st_dev)
                        return 0;
                store->file_fd = fd_close(store->file_fd);
        }
}

int log_store_open(const char *directory, LogStore **ret, Reason *reason) {
        _cleanup_(log_store_freep) LogStore *store = calloc(1, sizeof(*store));

        if (!store)
                return -ENOMEM;
        store->dir_fd = store->file_fd = store->forward_fd = -EBADF;
        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return reason_set(reason, -errno, "Cannot make the directory of the log, %s: %m", directory);
        store->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->dir_fd < 0)
                return reason_set(reason, -errno, "Cannot open the directory of the log, %s: %m", directory);
        int r = lock_current(store);
        if (r >= 0)
                r = cut_torn_record(store);
        if (r < 0)
                return reason_set(reason, r, "Cannot write the log in %s: %m", directory);
        (void)flock(store->file_fd, LOCK_UN);
        read_id("/proc/sys/kernel/random/boot_id", store->boot_id);
        read_id("/etc/machine-id", store->machine_id);
        if (gethostname(store->host_name, sizeof(store->host_name) - 1) < 0)
                store->host_name[0] = '\0';
        store->forward_fd = log_forward_open();
        *ret = TAKE_PTR(store);
        return 0;
}

void log_store_free(LogStore *store) {
        if (!store)
                return;
        (void)fd_close(store->dir_fd);
        (void)fd_close(store->file_fd);
        (void)fd_close(store->forward_fd);
        free(store);
}

/* Rotation */

/* 0: the file is none of ours. */
static uint64_t number_of(const char *name) {
        uint64_t number = 0;
        size_t n = 0;

        for (; name[n] >= '0' && name[n] <= '9'; n++)
                number = number * 10 + (uint64_t)(name[n] - '0');
        return n == NUMBER_DIGITS && text_equal(name + n, SUFFIX) ? number : 0;
}

static void name_of(uint64_t number, char name[static 64]) {
        (void)snprintf(name, 64, "%0*" PRIu64 SUFFIX, NUMBER_DIGITS, number);
}

/* Of the files that are full. */
typedef struct Stock {
        uint64_t first, last; /* numbers; 0: there are none */
        uint64_t size_bytes;
} Stock;

static int take_stock(int dir_fd, Stock *ret) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        const struct dirent *entry;
        Stock stock = {};

        const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory) {
                (void)fd_close(fd);
                return -ENOMEM;
        }
        while ((entry = readdir(directory))) {
                const uint64_t number = number_of(entry->d_name);
                struct stat status;

                if (number == 0 || fstatat(dir_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                stock.size_bytes += (uint64_t)status.st_size;
                if (stock.first == 0 || number < stock.first)
                        stock.first = number;
                stock.last = MAX(stock.last, number);
        }
        *ret = stock;
        return 0;
}

static void remove_oldest(int dir_fd) {
        char name[64];
        Stock stock;

        while (take_stock(dir_fd, &stock) >= 0 && stock.first > 0 &&
               stock.size_bytes > LOG_STORE_SIZE_MAX - LOG_FILE_SIZE_MAX) {
                name_of(stock.first, name);
                if (unlinkat(dir_fd, name, 0) < 0)
                        return;
        }
}

/* The file with the lock goes under the number of now, or the next one when the clock was set back: numbers grow, so that
 * files can be put in order. */
static int rotate(LogStore *store) {
        char name[64];
        Stock stock;

        const int r = take_stock(store->dir_fd, &stock);
        if (r < 0)
                return r;
        name_of(MAX(clock_usec(CLOCK_REALTIME), stock.last + 1), name);
        if (unlinkat(store->dir_fd, WHOLE, 0) < 0 && errno != ENOENT)
                return -errno;
        if (renameat2(store->dir_fd, CURRENT, store->dir_fd, name, RENAME_NOREPLACE) < 0)
                return -errno;
        store->file_fd = fd_close(store->file_fd);
        remove_oldest(store->dir_fd);
        return 0;
}

/* The lock is held, on the file that is to be written to. */
static int lock_with_room(LogStore *store) {
        for (;;) {
                struct stat status;

                int r = lock_current(store);
                if (r < 0)
                        return r;
                if (fstat(store->file_fd, &status) < 0)
                        return -errno;
                if (status.st_size < (off_t)LOG_FILE_SIZE_MAX)
                        return 0;
                r = rotate(store);
                if (r < 0)
                        return r;
        }
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

static void write_address(FILE *file, LogStore *store) {
        const uint64_t realtime = clock_usec(CLOCK_REALTIME), monotonic = clock_usec(CLOCK_MONOTONIC);

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

/* All or nothing, also when the disk is full. */
static int append(int fd, const char *text, size_t size) {
        const off_t before = lseek(fd, 0, SEEK_END);

        if (before < 0)
                return -errno;
        const ssize_t n = write(fd, text, size);
        if (n == (ssize_t)size)
                return 0;
        const int r = n < 0 ? -errno : -ENOSPC;
        if (ftruncate(fd, before) < 0)
                return -errno;
        return r;
}

int log_store_write(LogStore *store, pid_t pid, const LogField *fields, size_t n_fields) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        FILE *file = open_memstream(&text, &size);
        if (!file)
                return -errno;
        write_address(file, store);
        int r = log_process_write(file, pid);
        for (size_t i = 0; i < n_fields; i++)
                log_field_write(file, &fields[i]);
        (void)fputc('\n', file);
        if (fclose(file) != 0 || r < 0)
                return r < 0 ? r : -ENOMEM;
        if (size >= LOG_RECORD_SIZE_MAX)
                return -E2BIG; /* it could not be read again */

        if (store->forward_fd >= 0)
                log_forward_send(store->forward_fd, fields, n_fields);
        r = lock_with_room(store);
        if (r >= 0)
                r = append(store->file_fd, text, size);
        if (store->file_fd >= 0)
                (void)flock(store->file_fd, LOCK_UN);
        store->n_records++;
        return r;
}
