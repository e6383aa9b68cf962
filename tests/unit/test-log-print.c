/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "log/log-store.h"

static void assert_printed(const LogRecord *record, LogFormat format, const char *expected) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_int_equal(log_record_print(record, format, file), 0);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, expected);
}

#define FIELD(n, v) \
        { .name = (n), .value = (v), .size = sizeof(v) - 1 }

static void test_formats(void **state) {
        LogField fields[] = { FIELD("__CURSOR", "i=1"),
                              FIELD("_HOSTNAME", "host"),
                              FIELD("_PID", "123"),
                              FIELD("_COMM", "sh"),
                              FIELD("MESSAGE", "a\nb\x1b"),
                              FIELD("BYTES", "\xff\n"),
                              FIELD("CONTROL", "\t\xc2\x9b\xc3\xa4") };
        const LogRecord record = { .fields = fields,
                                   .n_fields = ELEMENTSOF(fields),
                                   .realtime_usec = UINT64_C(1507565147000042) };

        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        tzset();
        assert_printed(&record, LOG_SHORT, "Oct 09 16:05:47 host sh[123]: a\n    b?\n");
        assert_printed(&record, LOG_SHORT_ISO, "2017-10-09T16:05:47+0000 host sh[123]: a\n    b?\n");
        assert_printed(&record, LOG_CAT, "a\nb?\n");
        assert_printed(
                &record, LOG_VERBOSE,
                "Mon 2017-10-09 16:05:47.000042 UTC [i=1]\n    _HOSTNAME=host\n    _PID=123\n    _COMM=sh\n"
                "    MESSAGE=a\n            b?\n    BYTES=?\n    CONTROL=\t??\xc3\xa4\n");
        assert_printed(&record, LOG_JSON,
                       "{\"__CURSOR\":\"i=1\",\"_HOSTNAME\":\"host\",\"_PID\":\"123\",\"_COMM\":\"sh\","
                       "\"MESSAGE\":[97,10,98,27],\"BYTES\":[255,10],\"CONTROL\":[9,194,155,195,164]}\n");
}

static void test_without_message(void **state) {
        LogField fields[] = { FIELD("_PID", "1") };
        const LogRecord record = { .fields = fields, .n_fields = 1 };

        assert_printed(&record, LOG_SHORT, "");
        assert_printed(&record, LOG_CAT, "");
        assert_printed(&record, LOG_EXPORT, "_PID=1\n\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_formats),
                cmocka_unit_test(test_without_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
