/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/plan.h"
#include "image/step-assemble.h"

/* What `mkosi plan` prints for a command line. */
#define plan_of(...)                                                                                \
        ({                                                                                          \
                _cleanup_(loaded_config_freep) LoadedConfig *_planned =                             \
                        load_fine("--distribution=debian", "--architecture=x86-64", ##__VA_ARGS__); \
                char *_text = NULL;                                                                 \
                size_t _size;                                                                       \
                FILE *_file = open_memstream(&_text, &_size);                                       \
                assert_int_equal(plan_print(_planned, _file), 0);                                   \
                assert_int_equal(fclose(_file), 0);                                                 \
                _text;                                                                              \
        })

static void assert_has(const char *text, const char *part) {
        if (!strstr(text, part))
                fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_disk(void **state) {
        _cleanup_(freep) char *text = plan_of("--bootable", "--root-size=3G", "--kernel-command-line=quiet",
                                              "--mirror=http://mirror/debian", "-r", "sid");

        assert_has(text, " 1. workspace ");
        assert_has(text, "    debian sid for x86-64 from http://mirror/debian\n");
        assert_has(text, "[Bootable= command line, --bootable]\n");
        assert_has(text, " packages     Installing packages  [always]\n");
        assert_has(text, " clean        Cleaning up the tree  [always]\n");
        assert_has(text, "    kernel command line: quiet\n");
        assert_has(text, "    partitions: esp: 256M, root: 3G\n");
        assert_has(text, "10. publish ");
}

/* Names of files come from people that need not be trusted, and terminals obey control characters. */
static void test_control_characters(void **state) {
        put_file("mkosi.default.d/\033[2J", "[Output]\nOutput=./\033[1mx\n", 0644);
        _cleanup_(freep) char *text = plan_of("--format=directory");

        assert_null(strchr(text, '\033'));
        assert_has(text, "mkosi.default.d/?[2J:2");
        assert_has(text, "/?[1mx\n");
}

static void test_directory(void **state) {
        _cleanup_(freep) char *text = plan_of("--format=directory");

        assert_null(strstr(text, "assemble"));
        assert_null(strstr(text, "initrd"));
}

static void test_detail_of_assembly(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(step_assemble_detail(&(const Config){}, &text), 0);
        assert_string_equal(text, "partitions: root: as large as its content");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_disk),
                TEST(test_control_characters),
                TEST(test_directory),
                TEST(test_detail_of_assembly),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
