/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "service/log-store.h"
#include "temporary-directory.h"

#define FIELD(n, v) \
        { .name = (n), .value = (v), .size = SIZE_MAX }

static void say(LogStore *store, const char *unit, const char *message) {
        const LogField fields[] = { FIELD("UNIT", unit), FIELD("MESSAGE", message), FIELD("PRIORITY", "6") };

        assert_int_equal(log_store_write(store, 0, fields, ELEMENTSOF(fields)), 0);
}

static int collect(const LogRecord *record, void *userdata) {
        const LogField *message = log_record_find(record, "MESSAGE");

        assert_non_null(message);
        return strv_append(userdata, message->value);
}

#define ALL SIZE_MAX
#define assert_messages(n, of_units, that_match, ...)                                                    \
        do {                                                                                             \
                const LogQuery _query = { .units = (of_units), .matches = (that_match), .n_last = (n) }; \
                const char *const _expected[] = { __VA_ARGS__ __VA_OPT__(, ) NULL };                     \
                _cleanup_(strv_freep) char **_said = NULL;                                               \
                assert_int_equal(log_store_read("log", &_query, collect, &_said, NULL), 0);              \
                assert_int_equal(strv_length(STRV(_said)), strv_length(_expected));                      \
                assert_true(!_said || strv_equal(STRV(_said), _expected));                               \
        } while (false)

static void test_write_and_read(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL;
        static const char *const a[] = { "a.service", NULL }, *const both[] = { "a.service", "b.service",
                                                                                NULL };
        static const char *const matches[] = { "MESSAGE=two", "MESSAGE=three", "PRIORITY=6", NULL };
        static const char *const none[] = { "MESSAGE=two", "PRIORITY=5", NULL };
        struct stat status;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "one");
        say(store, "b.service", "two");
        say(store, "a.service", "three");
        assert_messages(ALL, NULL, NULL, "one", "two", "three");
        assert_messages(ALL, a, NULL, "one", "three");
        assert_messages(ALL, both, NULL, "one", "two", "three");
        assert_messages(ALL, NULL, matches, "two", "three");
        assert_messages(ALL, a, matches, "three");
        assert_messages(ALL, NULL, none);
        assert_messages(2, NULL, NULL, "two", "three");
        assert_messages(1, a, NULL, "three");
        assert_messages(0, NULL, NULL);
        assert_int_equal(stat("log/current", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0640);
}

/* What could not be read again is not written. */
static void test_too_large(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL;
        _cleanup_(freep) char *large = calloc(1, LOG_FILE_SIZE_MAX);

        assert_non_null(large);
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        const LogField field = { .name = "MESSAGE", .value = large, .size = LOG_FILE_SIZE_MAX };
        assert_int_equal(log_store_write(store, 0, &field, 1), -E2BIG);
        say(store, "a.service", "small");
        assert_messages(ALL, NULL, NULL, "small");
}

static int check_fields(const LogRecord *record, void *userdata) {
        const LogField *binary = log_record_find(record, "BINARY"),
                       *lines = log_record_find(record, "MESSAGE");
        char pid[32];

        assert_int_equal(binary->size, 5);
        assert_memory_equal(binary->value, "a\0\n=b", 5);
        assert_true(log_field_equals(lines, "two\n\nlines=\n"));
        assert_true(log_field_equals(log_record_find(record, "EMPTY"), ""));
        (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
        assert_true(log_field_equals(log_record_find(record, "_PID"), pid));
        assert_true(log_field_equals(log_record_find(record, "_UID"), "0"));
        assert_non_null(log_record_find(record, "_BOOT_ID"));
        assert_non_null(log_record_find(record, "__CURSOR"));
        assert_non_null(strstr(log_record_find(record, "_EXE")->value, "test-log-store"));
        assert_null(log_record_find(record, "NONE"));
        assert_true(record->realtime_usec > UINT64_C(1500000000000000));
        *(unsigned *)userdata += 1;
        return 0;
}

/* Whatever the values are, they come back. */
static void test_values(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL;
        const LogField fields[] = { { .name = "BINARY", .value = "a\0\n=b", .size = 5 },
                                    FIELD("MESSAGE", "two\n\nlines=\n"),
                                    FIELD("EMPTY", "") };
        unsigned n = 0;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        assert_int_equal(log_store_write(store, 0, fields, ELEMENTSOF(fields)), 0);
        assert_int_equal(log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, check_fields, &n, NULL), 0);
        assert_int_equal(n, 1);
}

static void append(const char *text) {
        _cleanup_(file_closep) FILE *file = fopen("log/current", "ae");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
}

/* What a crash cut off is passed over, and gone when the next one writes. */
static void test_torn_record(void **state) {
        LogStore *store = NULL;

        for (unsigned i = 0; i < 3; i++) {
                static const char *const torn[] = { "MESSAGE=half", "UNIT=a.service\nMESSAGE=line\n",
                                                    "MESSAGE\n\x09\0\0\0" };

                assert_int_equal(log_store_open("log", &store, NULL), 0);
                say(store, "a.service", "whole");
                log_store_free(TAKE_PTR(store));
                append(torn[i]);
                assert_messages(1, NULL, NULL, "whole");
        }
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        assert_messages(ALL, NULL, NULL, "whole", "whole", "whole");
        log_store_free(store);

        /* What is cut off has an end of a record within a value, with a length that would swallow those behind it. */
        _cleanup_(file_closep) FILE *file = fopen("log/current", "ae");
        assert_non_null(file);
        assert_int_equal(fwrite("MESSAGE\n\xff\x0f\0\0\0\0\0\0a\n\nb", 1, 20, file), 20);
        assert_int_equal(fflush(file), 0);
        store = NULL;
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "behind");
        log_store_free(store);
        assert_messages(ALL, NULL, NULL, "whole", "whole", "whole", "behind");

        /* A file with nothing but a torn record becomes an empty one. */
        assert_int_equal(truncate("log/current", 0), 0);
        append("MESSAGE=half\n");
        store = NULL;
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "first");
        assert_messages(ALL, NULL, NULL, "first");
        log_store_free(store);
}

/* What was read once is known to be whole, and what lies behind it is read all the same. */
static void test_known_to_be_whole(void **state) {
        _cleanup_(freep) char *noted = NULL, *large = calloc(1, 70 * KIB);
        struct stat before, after;
        LogStore *store = NULL;

        assert_non_null(large);
        memset(large, 'x', 70 * KIB - 1);
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", large);
        log_store_free(TAKE_PTR(store));
        assert_int_equal(stat("log/current", &before), 0);
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        log_store_free(TAKE_PTR(store));
        assert_int_equal(file_read(AT_FDCWD, "log/whole", 4096, &noted, NULL), 0);

        /* The first record is not looked at any more, what is torn behind it goes. */
        const int fd = open("log/current", O_RDWR | O_CLOEXEC);
        assert_int_equal(fd_pwrite_all(fd, "?", 1, 0), 0);
        assert_int_equal(fd_close(fd), -EBADF);
        append("MESSAGE=half");
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        log_store_free(TAKE_PTR(store));
        assert_int_equal(stat("log/current", &after), 0);
        assert_int_equal(before.st_size, after.st_size);

        /* A note that is of no use, cut off or of another file, is none: all is read, and nothing in it is whole. */
        static const char *const useless[] = { "", "1 2", "1 70000\n", "x\n" };
        for (size_t i = 0; i < ELEMENTSOF(useless); i++) {
                assert_int_equal(file_write_text(AT_FDCWD, "log/current", "MESSAGE=half", 0640), 0);
                assert_int_equal(file_write_text(AT_FDCWD, "log/whole", useless[i], 0640), 0);
                assert_int_equal(log_store_open("log", &store, NULL), 0);
                log_store_free(TAKE_PTR(store));
                assert_int_equal(stat("log/current", &after), 0);
                assert_int_equal(after.st_size, 0);
        }
}

/* A full file makes room for the next one, and nothing is lost on the way. */
static void test_rotation(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL, *other = NULL;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        assert_int_equal(log_store_open("log", &other, NULL), 0);
        /* The clock was set back since this one was full: what comes later is still behind it. */
        assert_int_equal(file_write_text(AT_FDCWD, "log/00009999999999999999.export", "", 0640), 0);
        say(store, "a.service", "old");
        /* One record that fills the file: journald's own limits are larger. */
        _cleanup_(freep) char *large = malloc(LOG_FILE_SIZE_MAX);
        assert_non_null(large);
        memset(large, 'x', LOG_FILE_SIZE_MAX - 1);
        large[LOG_FILE_SIZE_MAX - 1] = '\0';
        const LogField fields[] = { FIELD("FILLER", "x"),
                                    FIELD("MESSAGE", "large"),
                                    { .name = "X", .value = large, .size = LOG_FILE_SIZE_MAX - 4096 } };
        assert_int_equal(log_store_write(store, 0, fields, ELEMENTSOF(fields)), 0);
        assert_int_equal(log_store_write(store, 0, fields, ELEMENTSOF(fields)), 0);
        say(store, "a.service", "new");
        /* The one that still has the old file finds the new one. */
        say(other, "b.service", "newer");
        assert_messages(ALL, NULL, NULL, "old", "large", "large", "new", "newer");
        assert_messages(3, NULL, NULL, "large", "new", "newer");
        struct stat status;
        assert_int_equal(stat("log/00010000000000000000.export", &status), 0);
        assert_int_equal(stat("log/current", &status), 0);
        assert_true(status.st_size < (off_t)LOG_FILE_SIZE_MAX);
}

/* Several that write at once do not mix their records. */
static void test_at_once(void **state) {
        enum { N_PROCESSES = 4, N_RECORDS = 200 };
        _cleanup_(strv_freep) char **said = NULL;

        for (unsigned i = 0; i < N_PROCESSES; i++) {
                const pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        LogStore *store = NULL;

                        if (log_store_open("log", &store, NULL) < 0)
                                _exit(1);
                        for (unsigned j = 0; j < N_RECORDS; j++)
                                say(store, "a.service", "message");
                        log_store_free(store);
                        _exit(0);
                }
        }
        for (unsigned i = 0; i < N_PROCESSES; i++) {
                int status;

                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
        assert_int_equal(log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, collect, &said, NULL), 0);
        assert_int_equal(strv_length(STRV(said)), N_PROCESSES * N_RECORDS);
}

static void test_errors(void **state) {
        _cleanup_(reason_done) Reason reason = {}, damaged = {};
        LogStore *store = NULL;
        char **said = NULL;

        assert_int_equal(log_store_read("none", &(LogQuery){ .n_last = SIZE_MAX }, collect, &said, NULL),
                         -ENOENT);
        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0644), 0);
        assert_int_equal(log_store_open("file", &store, &reason), -ENOTDIR);
        assert_non_null(strstr(reason.text, "file"));

        /* A length that no record has. */
        assert_int_equal(mkdir("log", 0755), 0);
        assert_int_equal(file_write(AT_FDCWD, "log/current",
                                    "A\n\xff\xff\xff\xff\xff\xff\xff\xff"
                                    "abc\n\n",
                                    15, 0644),
                         0);
        assert_int_equal(log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, collect, &said, &damaged),
                         -EBADMSG);
        assert_non_null(strstr(damaged.text, "current is damaged"));
        assert_null(said);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_write_and_read), unit_test_in_directory(test_values),
                unit_test_in_directory(test_torn_record),    unit_test_in_directory(test_rotation),
                unit_test_in_directory(test_at_once),        unit_test_in_directory(test_errors),
                unit_test_in_directory(test_too_large),      unit_test_in_directory(test_known_to_be_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
