/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "log/log-file.h"
#include "temporary-directory.h"

#define ONE     "__REALTIME_TIMESTAMP=5\nUNIT=a.service\nMESSAGE=one\n\n"
#define TWO     "__REALTIME_TIMESTAMP=7\nB\n\3\0\0\0\0\0\0\0a\n\n\nMESSAGE=two\n\n"
#define DATA    ONE TWO
#define NAME(n) "0000000000000000000" n

static void test_names(void **state) {
        char name[LOG_FILE_NAME_MAX];

        log_file_name(7, LOG_FILE_SUFFIX, name);
        assert_string_equal(name, NAME("7.export"));
        assert_int_equal(log_file_number(name), 7);
        assert_int_equal(log_file_number(NAME("7.index")), 0);
        assert_int_equal(log_file_number("7.export"), 0);
        assert_int_equal(log_file_number("99999999999999999999.export"), 0);
        assert_int_equal(log_file_number("current"), 0);
}

/* Where a record ends is known at its last byte and not before, whatever is within it. */
static void test_measure(void **state) {
        LogEntry entry;

        for (size_t i = 0; i < sizeof(TWO) - 1; i++)
                assert_int_equal(log_record_measure(TWO, i, &entry), 0);
        assert_int_equal(log_record_measure(TWO ONE, sizeof(TWO ONE) - 1, &entry), 1);
        assert_int_equal(entry.end, sizeof(TWO) - 1);
        assert_int_equal(entry.realtime_usec, 7);
        assert_int_equal(entry.unit, LOG_UNIT_NONE);
        assert_int_equal(log_record_measure(ONE, sizeof(ONE) - 1, &entry), 1);
        assert_int_equal(entry.unit, log_unit_hash("a.service", 9));
        assert_int_equal(log_record_measure("a=b\n\n", 5, &entry), -EBADMSG);
        assert_int_equal(log_record_measure("=b\n\n", 4, &entry), -EBADMSG);
        assert_int_equal(log_record_measure("A\n\1\0\0\0\0\0\0\0xy\n\n", 14, &entry), -EBADMSG);
        assert_int_equal(log_record_measure("A\n\0\0\0\0\0\0\0\1", 10, &entry), -EBADMSG);
}

static void test_split(void **state) {
        LogField fields[LOG_FIELDS_MAX];
        LogRecord record = { .fields = fields };
        char data[] = TWO;

        assert_int_equal(log_record_split(data, sizeof(TWO) - 1, &record), 0);
        assert_int_equal(record.n_fields, 3);
        assert_int_equal(record.realtime_usec, 7);
        assert_string_equal(fields[1].name, "B");
        assert_int_equal(fields[1].size, 3);
        assert_memory_equal(fields[1].value, "a\n\n", 4);
        assert_string_equal(fields[2].value, "two");
        char both[] = DATA;
        assert_int_equal(log_record_split(both, sizeof(DATA) - 1, &record), -EBADMSG);
        char torn[] = ONE;
        assert_int_equal(log_record_split(torn, 30, &record), -EBADMSG);
}

static void assert_entries(size_t n) {
        LogFile file = {};

        assert_int_equal(log_file_open(&file, AT_FDCWD, 1), 0);
        assert_int_equal(file.n_entries, n);
        if (n > 0)
                assert_int_equal(file.entries[0].end, sizeof(ONE) - 1);
        if (n > 1)
                assert_int_equal(file.entries[1].end, sizeof(DATA) - 1);
        assert_false(file.damaged);
        log_file_done(&file);
}

/* With an index, with a part of one, with one that is none, and without: the records are the same. */
static void test_index(void **state) {
        uint8_t index[3 * LOG_INDEX_ENTRY_SIZE];

        memcpy(index, LOG_INDEX_MAGIC, LOG_INDEX_ENTRY_SIZE);
        log_entry_encode(&(LogEntry){ .end = sizeof(ONE) - 1 }, index + LOG_INDEX_ENTRY_SIZE);
        log_entry_encode(&(LogEntry){ .end = sizeof(DATA) - 1 }, index + 2 * LOG_INDEX_ENTRY_SIZE);
        assert_int_equal(file_write(AT_FDCWD, NAME("1.export"), DATA, sizeof(DATA) - 1, 0640), 0);
        assert_entries(2);
        for (size_t size = 0; size <= sizeof(index); size++) {
                assert_int_equal(file_write(AT_FDCWD, NAME("1.index"), index, size, 0640), 0);
                assert_entries(2);
        }
        index[0] = 'x';
        assert_int_equal(file_write(AT_FDCWD, NAME("1.index"), index, sizeof(index), 0640), 0);
        assert_entries(2);

        /* It tells of more than there is. */
        index[0] = LOG_INDEX_MAGIC[0];
        assert_int_equal(file_write(AT_FDCWD, NAME("1.index"), index, sizeof(index), 0640), 0);
        assert_int_equal(truncate(NAME("1.export"), sizeof(ONE) + 3), 0);
        assert_entries(1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_measure),
                cmocka_unit_test(test_split),
                unit_test_in_directory(test_index),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
