/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "failing-allocation.h"
#include "setting-table.h"
#include "setting/describe.h"

static int load_example(ExampleLoad **ret) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        int r = example_load_new(&load);
        if (r >= 0)
                r = example_load_words(load, "-p a --password=geheim -C / -i");
        if (r >= 0)
                r = example_load_text(
                        load, "f",
                        "[Output]\nFormat=disk\nTitle=\n[Content]\nPackages=b c\n  d\n"
                        "Repositories=\nTool=x \033y\nWithTests=no\n[Partitions]\nRootSize=1G\n");
        if (r >= 0)
                r = strv_append(&load->example.packages, "e");
        if (r >= 0)
                r = setting_note_addition(load->store, EXAMPLE_ROW(packages), SETTING_DISCOVERED, "extra");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(load);
        return 0;
}

static int summarise(bool all, char **ret) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(file_closep) FILE *stream = NULL;
        size_t size;

        int r = load_example(&load);
        if (r < 0)
                return r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        r = describe_summary(load->store, all, stream);
        if (r < 0)
                return r;
        assert_int_equal(fclose(TAKE_PTR(stream)), 0);
        *ret = TAKE_PTR(text);
        return 0;
}

static void test_summary(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(summarise(false, &text), 0);
        assert_string_equal(
                text, "Output\n"
                      "           Format: disk                              (f:2)\n"
                      "            Title: \"\"                                (f:3)\n"
                      "         Password: set                               (command line, --password)\n"
                      "    --incremental: yes                               (command line, -i)\n"
                      "\n"
                      "Content\n"
                      "         Packages: a                                 (command line, -p)\n"
                      "                   b                                 (f:5)\n"
                      "                   c                                 (f:5)\n"
                      "                   d                                 (f:5)\n"
                      "                   e                                 (extra)\n"
                      "     Repositories: none                              (f:7)\n"
                      "             Tool: x ?y                              (f:8)\n"
                      "        WithTests: no                                (f:9)\n"
                      "\n"
                      "Partitions\n"
                      "         RootSize: 1G                                (f:11)\n");
}

static void test_all(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(summarise(true, &text), 0);
        assert_non_null(strstr(text, "         Compress: none                              (not set)\n"));
        assert_non_null(strstr(text, "         Bootable: no                                (not set)\n"));
        assert_null(strstr(text, "directory")); /* is done when the summary is printed */
}

static int print_json(char **ret) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(file_closep) FILE *stream = NULL;
        size_t size;

        int r = load_example(&load);
        if (r < 0)
                return r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        JsonWriter writer = { .file = stream };
        json_begin_object(&writer, NULL);
        r = describe_json(load->store, &writer);
        if (r < 0)
                return r;
        json_end_object(&writer);
        assert_int_equal(fclose(TAKE_PTR(stream)), 0);
        *ret = TAKE_PTR(text);
        return 0;
}

static void test_json(void **state) {
        static const char *const parts[] = {
                "{\n\t\"Output\": {\n\t\t\"Format\": {\n\t\t\t\"value\": \"disk\",\n\t\t\t\"origin\": [\n"
                "\t\t\t\t{\n\t\t\t\t\t\"source\": \"file\",\n\t\t\t\t\t\"file\": \"f\",\n\t\t\t\t\t\"line\": 2\n"
                "\t\t\t\t}\n\t\t\t]\n\t\t},\n",
                "\"Compress\": {\n\t\t\t\"value\": null,\n\t\t\t\"origin\": []\n",
                "\"Password\": {\n\t\t\t\"value\": \"set\",\n",
                "\"option\": \"--password\"\n",
                "\"incremental\": {\n\t\t\t\"value\": true,\n",
                "\"Packages\": {\n\t\t\t\"value\": [\n\t\t\t\t\"a\",\n",
                "\"line\": 5,\n\t\t\t\t\t\"items\": 3\n",
        };
        _cleanup_(freep) char *text = NULL;
        const char *rest;

        assert_int_equal(print_json(&text), 0);
        rest = text;
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                rest = strstr(rest, parts[i]);
                if (!rest)
                        print_error("not found, or not in order:\n%s", parts[i]);
                assert_non_null(rest);
        }
        assert_null(strstr(text, "geheim"));
}

static int describe_all(void) {
        _cleanup_(freep) char *summary = NULL, *json = NULL;

        const int r = summarise(true, &summary);
        return r < 0 ? r : print_json(&json);
}

static void test_out_of_memory(void **state) {
        assert_true(fail_every_allocation(describe_all) > 50);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_summary),
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_out_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
