/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "log/log-file.h"
#include "temporary-directory.h"

#define FIELD(n, v) \
        { .name = (n), .value = (v), .size = SIZE_MAX }

static void say(LogStore *store, const char *unit, const char *message) {
        const LogField fields[] = { FIELD("UNIT", unit), FIELD("MESSAGE", message), FIELD("PRIORITY", "6") };

        assert_int_equal(log_store_write(store, 0, fields, ELEMENTSOF(fields)), 0);
}

#define NAME_SIZE 64

/* The path of the file that is written to, or of its index. */
static void newest(const char *suffix, char ret[static NAME_SIZE]) {
        _cleanup_(fd_closep) int dir_fd = open("log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(freep) uint64_t *numbers = NULL;
        char name[LOG_FILE_NAME_MAX];
        size_t n;

        assert_int_equal(log_files_list(dir_fd, &numbers, &n), 0);
        assert_true(n > 0);
        log_file_name(numbers[n - 1], suffix, name);
        (void)snprintf(ret, NAME_SIZE, "log/%s", name);
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
        char name[NAME_SIZE];
        newest(LOG_FILE_SUFFIX, name);
        assert_int_equal(stat(name, &status), 0);
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
        assert_messages(ALL, NULL, NULL, "small",
                        "1 record could not be written to the log: Argument list too long");
}

/* What could not be written is said when something can be again. */
static void test_lost(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL;
        const LogField field = FIELD("MESSAGE", "lost");
        struct rlimit before;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "first");
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1, before.rlim_max }), 0);
        assert_int_equal(log_store_write(store, 0, &field, 1), -EFBIG);
        assert_int_equal(log_store_write(store, 0, &field, 1), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        say(store, "a.service", "second");
        assert_messages(ALL, NULL, NULL, "first", "second",
                        "2 records could not be written to the log: File too large");
}

static int collect_names(const LogRecord *record, void *userdata) {
        return strv_append(userdata, log_record_find(record, "_COMM")->value);
}

/* A process that becomes another program is that one from when it is asked anew on. */
static void test_process(void **state) {
        static const char *const expected[] = { "one", "one", "two", NULL };
        _cleanup_(log_store_freep) LogStore *store = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        const LogField field = FIELD("MESSAGE", "said");

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        assert_int_equal(prctl(PR_SET_NAME, "one"), 0);
        assert_int_equal(log_store_write(store, getpid(), &field, 1), 0);
        assert_int_equal(prctl(PR_SET_NAME, "two"), 0);
        assert_int_equal(log_store_write(store, getpid(), &field, 1), 0);
        log_store_ask_anew(store);
        assert_int_equal(log_store_write(store, getpid(), &field, 1), 0);
        assert_int_equal(
                log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, collect_names, &names, NULL), 0);
        assert_true(strv_equal(STRV(names), expected));
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

static void append_bytes(const void *bytes, size_t size) {
        char name[NAME_SIZE];

        newest(LOG_FILE_SUFFIX, name);
        _cleanup_(file_closep) FILE *file = fopen(name, "ae");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
}

static void append(const char *text) {
        append_bytes(text, strlen(text));
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
        append_bytes("MESSAGE\n\xff\x0f\0\0\0\0\0\0a\n\nb", 20);
        store = NULL;
        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "behind");
        log_store_free(store);
        assert_messages(ALL, NULL, NULL, "whole", "whole", "whole", "behind");
}

/* Whoever was killed left any part of a record, and any part of its entry behind it: what is whole counts, and what comes later
 * is lost in no case. A writer that is still there finds the same as one that comes. */
static void test_torn_anywhere(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL, *other = NULL;
        char data[NAME_SIZE], index[NAME_SIZE];
        struct stat first, second, now;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "first");
        newest(LOG_FILE_SUFFIX, data);
        newest(LOG_INDEX_SUFFIX, index);
        assert_int_equal(stat(data, &first), 0);
        say(store, "a.service", "second");
        assert_int_equal(stat(data, &second), 0);
        for (off_t size = second.st_size; size >= first.st_size; size--) {
                LogStore *late = NULL;

                assert_int_equal(truncate(data, size), 0);
                assert_int_equal(truncate(index, 2 * LOG_INDEX_ENTRY_SIZE + size % LOG_INDEX_ENTRY_SIZE), 0);
                if (size == second.st_size)
                        assert_messages(2, NULL, NULL, "first", "second");
                else
                        assert_messages(2, NULL, NULL, "first");
                if (size % 2 == 0) {
                        assert_int_equal(log_store_open("log", &late, NULL), 0);
                        log_store_free(late);
                        assert_int_equal(stat(data, &now), 0);
                        assert_int_equal(now.st_size,
                                         size == second.st_size ? second.st_size : first.st_size);
                        if (size == second.st_size)
                                assert_messages(2, NULL, NULL, "first", "second");
                } else {
                        say(store, "a.service", "behind");
                        assert_messages(1, NULL, NULL, "behind");
                }
        }
        say(store, "a.service", "last");
        assert_int_equal(log_store_open("log", &other, NULL), 0);
        say(other, "a.service", "other");
        assert_messages(2, NULL, NULL, "last", "other");
}

/* A file whose index is lost is left as it is, and the next one is begun. */
static void test_lost_index(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL, *other = NULL;
        char data[NAME_SIZE], index[NAME_SIZE], later[NAME_SIZE];

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "one");
        newest(LOG_FILE_SUFFIX, data);
        newest(LOG_INDEX_SUFFIX, index);
        assert_int_equal(unlink(index), 0);
        assert_int_equal(log_store_open("log", &other, NULL), 0);
        say(other, "a.service", "two");
        newest(LOG_FILE_SUFFIX, later);
        assert_string_not_equal(data, later);
        /* The one that had it open finds the new one. */
        say(store, "a.service", "three");
        assert_messages(ALL, NULL, NULL, "one", "two", "three");
        assert_messages(3, NULL, NULL, "one", "two", "three");
}

/* Newest first, however many are asked for; no memory is taken for those that there are not. */
static void test_reverse(void **state) {
        _cleanup_(log_store_freep) LogStore *store = NULL;
        static const char *const expected[] = { "three", "two", NULL };
        _cleanup_(strv_freep) char **said = NULL, **all = NULL;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        say(store, "a.service", "one");
        say(store, "b.service", "two");
        say(store, "a.service", "three");
        const LogQuery two = { .n_last = 2, .reverse = true }, many = { .n_last = SIZE_MAX - 1 };
        assert_int_equal(log_store_read("log", &two, collect, &said, NULL), 0);
        assert_true(strv_equal(STRV(said), expected));
        assert_int_equal(log_store_read("log", &many, collect, &all, NULL), 0);
        assert_int_equal(strv_length(STRV(all)), 3);
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
        assert_int_equal(stat("log/00009999999999999999.export", &status), 0);
        char name[NAME_SIZE];
        newest(LOG_FILE_SUFFIX, name);
        assert_int_equal(stat(name, &status), 0);
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
        assert_int_equal(file_write(AT_FDCWD, "log/00000000000000000001.export",
                                    "A\n\xff\xff\xff\xff\xff\xff\xff\xff"
                                    "abc\n\n",
                                    15, 0644),
                         0);
        assert_int_equal(log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, collect, &said, &damaged),
                         -EBADMSG);
        assert_non_null(strstr(damaged.text, "are damaged"));
        assert_null(said);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_write_and_read), unit_test_in_directory(test_values),
                unit_test_in_directory(test_torn_record),    unit_test_in_directory(test_rotation),
                unit_test_in_directory(test_at_once),        unit_test_in_directory(test_errors),
                unit_test_in_directory(test_too_large),      unit_test_in_directory(test_torn_anywhere),
                unit_test_in_directory(test_lost_index),     unit_test_in_directory(test_lost),
                unit_test_in_directory(test_process),        unit_test_in_directory(test_reverse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
