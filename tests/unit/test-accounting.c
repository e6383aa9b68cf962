/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "manager/accounting.h"
#include "temporary-directory.h"

/* Sizes as systemd 235 and the posts of 2017 print them. */
static void test_bytes(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = {
                { 168, "168B" },
                { 50880, "49.6K" },
                { 0, "0B" },
                { 900, "900B" },
                { 1023, "1023B" },
                { 1024, "1.0K" },
                { 1100, "1.0K" },
                { 1500, "1.4K" },
                { 37776, "36.8K" },
                { 3145728, "3.0M" },
                { 236544, "231.0K" },
                { UINT64_MAX - 1, "15.9E" },
                { 1048575, "1023.9K" },
                { UINT64_C(5) << 40, "5.0T" },
        };
        char text[BYTES_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bytes_format(rows[i].bytes, text);
                assert_string_equal(text, rows[i].text);
        }
}

static Unit unit = { .name = (char *)"a.service" };

static UnitStatus counted(Truth cpu, Truth ip) {
        unit.settings.cpu_accounting = cpu;
        unit.settings.ip_accounting = ip;
        return (UnitStatus){ .unit = &unit,
                             .cpu_nsec = UINT64_C(5297000000),
                             .ip_counters = { 50880, 5, 420, 5 },
                             .main_code = CLD_EXITED,
                             .main_started_monotonic = 1000000,
                             .main_ended_monotonic = 1878000 };
}

static void assert_message(Truth cpu, Truth ip, const char *expected) {
        const UnitStatus status = counted(cpu, ip);
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(accounting_message(&status, &text), 0);
        assert_string_equal(text, expected);
}

static void test_message(void **state) {
        assert_message(TRUTH_NO, TRUTH_YES, "Received 49.6K IP traffic, sent 420B IP traffic");
        assert_message(TRUTH_YES, TRUTH_YES,
                       "Consumed 5.297s CPU time, received 49.6K IP traffic, sent 420B IP traffic");
        assert_message(TRUTH_YES, TRUTH_OPEN, "Consumed 5.297s CPU time");
        assert_message(TRUTH_OPEN, TRUTH_OPEN, "Completed");
}

static void assert_result(const UnitStatus *status, const char *expected) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_int_equal(accounting_print_result(status, file), 0);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, expected);
}

static void test_result(void **state) {
        UnitStatus status = counted(TRUTH_YES, TRUTH_YES);

        assert_result(&status, "Finished with result: success\n"
                               "Main processes terminated with: code=exited/status=0\n"
                               "Service runtime: 878ms\n"
                               "CPU time consumed: 5.297s\n"
                               "IP traffic received: 49.6K\n"
                               "IP traffic sent: 420B\n");
        status = counted(TRUTH_NO, TRUTH_NO);
        status.result = SERVICE_FAILURE_SIGNAL;
        status.main_code = CLD_KILLED;
        status.main_status = SIGTERM;
        assert_result(&status, "Finished with result: signal\n"
                               "Main processes terminated with: code=killed/status=TERM\n"
                               "Service runtime: 878ms\n");
}

static int look(const LogRecord *record, void *userdata) {
        assert_true(
                log_field_equals(log_record_find(record, "MESSAGE_ID"), "ae8f7b866b0347b9af31fe1c80b127c0"));
        assert_true(log_field_equals(log_record_find(record, "UNIT"), "a.service"));
        assert_true(log_field_equals(log_record_find(record, "IP_METRIC_INGRESS_BYTES"), "50880"));
        assert_true(log_field_equals(log_record_find(record, "IP_METRIC_EGRESS_PACKETS"), "5"));
        assert_true(log_field_equals(log_record_find(record, "CPU_USAGE_NSEC"), "5297000000"));
        assert_true(log_field_equals(log_record_find(record, "PRIORITY"), "6"));
        assert_true(log_field_equals(
                log_record_find(record, "MESSAGE"),
                "a.service: Consumed 5.297s CPU time, received 49.6K IP traffic, sent 420B IP "
                "traffic"));
        ++*(unsigned *)userdata;
        return 0;
}

/* A record for what was counted, and none for nothing. */
static void test_record(void **state) {
        const UnitStatus something = counted(TRUTH_YES, TRUTH_YES);
        LogStore *store = NULL;
        unsigned n = 0;

        assert_int_equal(log_store_open("log", &store, NULL), 0);
        assert_int_equal(accounting_log(store, &something), 0);
        const UnitStatus nothing = counted(TRUTH_NO, TRUTH_NO);
        assert_int_equal(accounting_log(store, &nothing), 0);
        log_store_free(store);
        assert_int_equal(log_store_read("log", &(LogQuery){ .n_last = SIZE_MAX }, look, &n, NULL), 0);
        assert_int_equal(n, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_message),
                cmocka_unit_test(test_result),
                unit_test_in_directory(test_record),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
