/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "unit/unit-settings.h"

typedef union Member {
        Truth truth;
        Duration duration;
        Limit limit;
        Level level;
        Mode mode;
        int signal;
        bool asked;
        char **lines;
} Member;

static const char *const asked_words[] = { "auto", NULL };
static const Setting row = { .name = "Row", .words = asked_words };

/* Parsed, a value prints itself; NULL: it is refused, and changes nothing. */
static const struct {
        const SettingType *type;
        const char *text, *printed, *json;
} cases[] = {
        { &setting_type_truth, "yes", "yes", "true" },
        { &setting_type_truth, "off", "no", "false" },
        { &setting_type_truth, "perhaps", NULL, NULL },
        { &setting_type_truth, "", NULL, NULL },
        { &setting_type_duration, "90", "1min 30s", "90000000" },
        { &setting_type_duration, "infinity", "infinity", "18446744073709551615" },
        { &setting_type_duration, "0", "0", "0" },
        { &setting_type_duration, "long", NULL, NULL },
        { &setting_type_duration, "999999999999y", NULL, NULL },
        { &setting_type_timeout, "90", "1min 30s", NULL },
        { &setting_type_timeout, "0s", "infinity", NULL },
        { &setting_type_timeout, "soon", NULL, NULL },
        { &setting_type_limit, "100", "100", NULL },
        { &setting_type_limit, "100:200", "100:200", NULL },
        { &setting_type_limit, "1K:infinity", "1024:infinity", NULL },
        { &setting_type_limit, "infinity", "infinity", NULL },
        { &setting_type_limit, "0", "0", NULL },
        { &setting_type_limit, "200:100", NULL, NULL },
        { &setting_type_limit, "infinity:100", NULL, NULL },
        { &setting_type_limit, "100:", NULL, NULL },
        { &setting_type_limit_seconds, "90", "90", NULL },
        { &setting_type_limit_seconds, "1min:2min", "60:120", NULL },
        { &setting_type_limit_seconds, "1500ms", "2", NULL },
        { &setting_type_limit_seconds, "infinity", "infinity", NULL },
        { &setting_type_limit_seconds, "1G", NULL, NULL },
        { &setting_type_limit_usec, "5000", "5000", NULL },
        { &setting_type_limit_usec, "20ms:infinity", "20000:infinity", NULL },
        { &setting_type_limit_usec, "2s:1s", NULL, NULL },
        { &setting_type_limit, ":100", NULL, NULL },
        { &setting_type_limit, "1:2:3", NULL, NULL },
        { &setting_type_limit, "-1", NULL, NULL },
        { &setting_type_limit, "many", NULL, NULL },
        { &setting_type_level, "-5", "-5", "-5.000" },
        { &setting_type_level, "+5", "5", "5.000" },
        { &setting_type_level, "2147483647", "2147483647", NULL },
        { &setting_type_level, "2147483648", NULL, NULL },
        { &setting_type_level, "--5", NULL, NULL },
        { &setting_type_level, "-", NULL, NULL },
        { &setting_type_level, "", NULL, NULL },
        { &setting_type_nice, "-20", "-20", NULL },
        { &setting_type_nice, "19", "19", NULL },
        { &setting_type_nice, "-21", NULL, NULL },
        { &setting_type_nice, "20", NULL, NULL },
        { &setting_type_oom_score, "-1000", "-1000", NULL },
        { &setting_type_oom_score, "1000", "1000", NULL },
        { &setting_type_oom_score, "-1001", NULL, NULL },
        { &setting_type_oom_score, "1001", NULL, NULL },
        { &setting_type_mode, "755", "0755", "493" },
        { &setting_type_mode, "07777", "7777", NULL },
        { &setting_type_mode, "0", "0000", "0" },
        { &setting_type_mode, "10000", NULL, NULL },
        { &setting_type_mode, "0000000755", NULL, NULL },
        { &setting_type_mode, "888", NULL, NULL },
        { &setting_type_mode, "u=rwx", NULL, NULL },
        { &setting_type_mode, "", NULL, NULL },
        { &setting_type_signal, "SIGTERM", "SIGTERM", "15" },
        { &setting_type_signal, "KILL", "SIGKILL", NULL },
        { &setting_type_signal, "1", "SIGHUP", NULL },
        { &setting_type_signal, "SIGRTMIN", "34", NULL },
        { &setting_type_signal, "RTMIN+3", "37", NULL },
        { &setting_type_signal, "SIGRTMAX-1", "63", NULL },
        { &setting_type_signal, "SIGRTMIN+31", NULL, NULL },
        { &setting_type_signal, "SIGRTMIN-1", NULL, NULL },
        { &setting_type_signal, "SIGRTMIN+", NULL, NULL },
        { &setting_type_signal, "SIGWALDO", NULL, NULL },
        { &setting_type_signal, "SIG", NULL, NULL },
        { &setting_type_signal, "sigterm", NULL, NULL },
        { &setting_type_signal, "0", NULL, NULL },
        { &setting_type_signal, "65", NULL, NULL },
        { &setting_type_asked, "yes", "yes", "true" },
        { &setting_type_asked, "/dev/null rw", "yes", "true" },
        { &setting_type_asked, "strict", "yes", "true" },
        { &setting_type_asked, "no", "", "false" },
        { &setting_type_asked, "0", "", "false" },
        { &setting_type_asked, "auto", "", "false" },
        { &setting_type_lines, "a b, \"c\"", "a b, \"c\"", "[\"a b, \\\"c\\\"\"]" },
};

static char *print(const SettingType *type, const Member *member) {
        char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_false(type->print(&row, member, 1, file));
        (void)type->print(&row, member, 0, file);
        assert_int_equal(fclose(file), 0);
        return text;
}

/* {"value":…} without what is around it. */
static char *print_json(const SettingType *type, const Member *member) {
        char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        assert_non_null(file);
        JsonWriter writer = { .file = file, .compact = true };
        json_begin_object(&writer, NULL);
        type->print_json(&row, member, &writer);
        json_end_object(&writer);
        assert_int_equal(fclose(file), 0);
        return text;
}

static void test_values(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const SettingType *const type = cases[i].type;
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *printed = NULL, *json = NULL;
                Member member = {};

                const int r = type->parse(&row, cases[i].text, &member, &reason);
                if (r != (cases[i].printed ? 0 : -EINVAL))
                        fail_msg("%zu, \"%s\": %d", i, cases[i].text, r);
                if (r < 0) {
                        static const Member unset;

                        assert_non_null(reason.text);
                        assert_memory_equal(&member, &unset, sizeof(member));
                        continue;
                }
                printed = print(type, &member);
                assert_string_equal(printed, cases[i].printed);
                json = print_json(type, &member);
                if (cases[i].json && !strstr(json, cases[i].json))
                        fail_msg("%s is not in %s", cases[i].json, json);
                type->clear(&member);
                free(printed);
                printed = print(type, &member);
                assert_string_equal(printed, "");
        }
}

/* What is unset prints nothing, and null. */
static void test_unset(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Member member = {};
                _cleanup_(freep) char *printed = print(cases[i].type, &member);
                _cleanup_(freep) char *json = print_json(cases[i].type, &member);

                assert_string_equal(printed, "");
                assert_true(strstr(json, "null") || strstr(json, "false") || strstr(json, "[]"));
        }
        assert_true(sizeof(Member) <= SETTING_MEMBER_WORDS_MAX * sizeof(uint64_t));
}

/* Lines add up, to so many. */
static void test_lines(void **state) {
        Member member = {};

        for (size_t i = 0; i < SETTING_LIST_ITEMS_MAX; i++)
                assert_int_equal(setting_type_lines.parse(&row, "a", &member, NULL), 0);
        assert_int_equal(setting_type_lines.parse(&row, "a", &member, NULL), -EINVAL);
        assert_int_equal(strv_length(STRV(member.lines)), SETTING_LIST_ITEMS_MAX);
        setting_type_lines.clear(&member);
        assert_null(member.lines);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_unset),
                cmocka_unit_test(test_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
