/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "describe-helper.h"

static void test_content(void **state) {
        static const char *const parts[] = {
                "# Settings of program 1.2\n",
                "\n[Output]\n# What is made.\n\n# kind of output\n# One of: disk, squashfs, directory\n# Default: disk\n#Format=disk\n",
                "\n# compress it\n# One of: no, yes, zstd\n#Compress=no\n",
                "#Force=1\n",
                "#Bootable=yes\n",
                "\n[Content]\n",
                "\n[Partitions]\n\n# of the root partition\n#RootSize=SIZE\n",
        };
        _cleanup_(freep) char *text = describe_to_text(describe_example);
        const char *rest = text;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                rest = strstr(rest, parts[i]);
                if (!rest)
                        print_error("not found, or not in order:\n%s", parts[i]);
                assert_non_null(rest);
        }
        assert_null(strstr(text, "incremental")); /* for the command line only */

        _cleanup_(strv_freep) char **lines = NULL;
        assert_int_equal(strv_split(text, "\n", &lines), 0);
        for (char **line = lines; *line; line++)
                assert_true(strlen(*line) < 80);
}

/* The example says nothing as long as nothing is uncommented; with that, only what kind of value to put is wrong. */
static void test_loads(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL, *uncommented = NULL;
        _cleanup_(freep) char *text = describe_to_text(describe_example);

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(example_load_text(load, "example", text), 0);
        assert_null(load->mistakes.texts);
        for (const Setting *row = example_rows; row < example_rows + ELEMENTSOF(example_rows); row++)
                assert_int_equal(setting_source(load->store, row), SETTING_UNSET);

        for (char *line = text; line; line = strchr(line + 1, '\n'))
                if (line[0] == '\n' && line[1] == '#' && line[2] != ' ' && line[2] != '\n')
                        line[1] = ' ';
        assert_int_equal(example_load_new(&uncommented), 0);
        assert_int_equal(example_load_text(uncommented, "example", text), 0);
        assert_int_equal(strv_length(STRV(uncommented->mistakes.texts)), 1);
        assert_non_null(strstr(uncommented->mistakes.texts[0], "RootSize=SIZE: "));
        for (const Setting *row = example_rows; row < example_rows + ELEMENTSOF(example_rows); row++)
                if (row->name && row != EXAMPLE_ROW(root_size))
                        assert_int_equal(setting_source(uncommented->store, row), SETTING_FILE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_content),
                cmocka_unit_test(test_loads),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
