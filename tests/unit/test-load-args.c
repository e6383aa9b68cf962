/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing-allocation.h"
#include "setting-table.h"

static ExampleLoad *load_words(const char *words) {
        ExampleLoad *load = NULL;

        assert_int_equal(example_load_new(&load), 0);
        assert_int_equal(example_load_words(load, words), 0);
        return load;
}

static void test_values(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = load_words(
                "--format=folder --title a --output=x=y -o z -p a,b -pc --package=d --extra-tree e,f "
                "--extra-dir=g --root-size 1G --search-path=/a:/b --password=");

        assert_null(load->mistakes.texts);
        assert_int_equal(load->example.format, 2);
        assert_string_equal(load->example.title, "a");
        assert_string_equal(load->example.output, "z");
        assert_string_equal(load->example.password, "");
        assert_int_equal(load->example.root_size, GIB);
        assert_true(
                strv_equal(STRV(load->example.packages), (const char *const[]){ "a", "b", "c", "d", NULL }));
        assert_true(strv_equal(STRV(load->example.trees), (const char *const[]){ "e,f", "g", NULL }));
        assert_int_equal(strv_length(STRV(load->example.search_path)), 2);
        assert_null(load->arguments.verb);

        /* The origin is the option as it was typed. */
        const SettingOrigins *origins = setting_origins(load->store, EXAMPLE_ROW(packages));
        assert_int_equal(origins->n_items, 3);
        assert_string_equal(origins->items[0].file, "-p");
        assert_string_equal(origins->items[2].file, "--package");
        assert_int_equal(origins->items[0].source, SETTING_COMMAND_LINE);
}

/* Flags, letters together, and values that stand only behind '='. */
static void test_flags(void **state) {
        static const struct {
                const char *words;
                unsigned force;
                bool bootable, incremental, with_tests;
                unsigned compress, format;
                const char *verb;
        } cases[] = {
                { "-f", 1, false, false, false, 0, 0, NULL },
                { "-ff --force", 3, false, false, false, 0, 0, NULL },
                { "--force=2 -f", 3, false, false, false, 0, 0, NULL },
                { "-bf build", 1, true, false, false, 0, 0, "build" },
                { "-b summary", 0, true, false, false, 0, 0, "summary" },
                { "--bootable build", 0, true, false, false, 0, 0, "build" },
                { "-b --bootable=no", 0, false, false, false, 0, 0, NULL },
                { "-b=no", 0, false, false, false, 0, 0, NULL },
                { "-iff", 2, false, true, false, 0, 0, NULL },
                { "-iftfolder", 1, false, true, false, 0, 2, NULL },
                { "-ift folder", 1, false, true, false, 0, 2, NULL },
                { "-t=folder", 0, false, false, false, 0, 2, NULL },
                { "--without-tests=no", 0, false, false, true, 0, 0, NULL },
                { "-T", 0, false, false, false, 0, 0, NULL },
                { "--compress build", 0, false, false, false, 2, 0, "build" },
                { "--compress=zstd", 0, false, false, false, 3, 0, NULL },
                { "build -f", 1, false, false, false, 0, 0, "build" },
                { "-- build", 0, false, false, false, 0, 0, "build" },
                { "--boota --incr --forc --form folder", 1, true, true, false, 0, 2, NULL },
                { "", 0, false, false, false, 0, 0, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_words(cases[i].words);
                const Example *example = &load->example;

                assert_null(load->mistakes.texts);
                assert_int_equal(example->force, cases[i].force);
                assert_int_equal(example->bootable, cases[i].bootable);
                assert_int_equal(example->incremental, cases[i].incremental);
                assert_int_equal(example->with_tests, cases[i].with_tests);
                assert_int_equal(example->compress, cases[i].compress);
                assert_int_equal(example->format, cases[i].format);
                if (cases[i].verb)
                        assert_string_equal(load->arguments.verb->name, cases[i].verb);
                else
                        assert_null(load->arguments.verb);
        }
}

static void test_rest(void **state) {
        static const struct {
                const char *words, *verb, *rest;
                unsigned force;
        } cases[] = {
                { "explain a b", "explain", "a|b", 0 },
                { "explain a -f b", "explain", "a|b", 1 },
                { "explain -- a -f", "explain", "a|-f", 0 },
                { "explain build", "explain", "build", 0 },
                { "shell ls -f --bootable", "shell", "ls|-f|--bootable", 0 },
                { "-f shell -f", "shell", "-f", 1 },
                { "shell -- -f -- x", "shell", "-f|--|x", 0 },
                { "shell", "shell", "", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_words(cases[i].words);
                _cleanup_(freep) char *rest = NULL;

                assert_null(load->mistakes.texts);
                assert_string_equal(load->arguments.verb->name, cases[i].verb);
                assert_int_equal(strv_join(STRV(load->arguments.rest), "|", &rest), 0);
                assert_string_equal(rest, cases[i].rest);
                assert_int_equal(load->example.force, cases[i].force);
        }
}

#define VERBS "(possible: build, summary, explain, shell)"

static void test_mistakes(void **state) {
        static const struct {
                const char *words, *mistake;
        } cases[] = {
                { "--formt=disk", "Unknown option \"--formt\", did you mean \"--format\"?" },
                { "--formt disk", "Unknown option \"--formt\", did you mean \"--format\"?" },
                { "--zebra", "Unknown option \"--zebra\"" },
                { "--=x", "Unknown option \"--\"" },
                { "--bo", "Option \"--bo\" is ambiguous (possible: --bootable, --boot-protocols)" },
                { "-x", "Unknown option \"-x\"" },
                { "-fx", "Unknown option \"-x\" in \"-fx\"" },
                { "--title", "Option \"--title\" needs a value" },
                { "-ft", "Option \"-t\" needs a value" },
                { "--title --force",
                  "Option \"--title\" needs a value (if \"--force\" is meant to be it, attach it: --title=--force)" },
                { "-o -f", "Option \"-o\" needs a value (if \"-f\" is meant to be it, attach it: -o-f)" },
                { "-o -5", "Option \"-o\" needs a value (if \"-5\" is meant to be it, attach it: -o-5)" },
                { "--title -5 build",
                  "Option \"--title\" needs a value (if \"-5\" is meant to be it, attach it: --title=-5)" },
                { "--format=dsik",
                  "--format=dsik: unknown format \"dsik\", did you mean \"disk\"? (possible: disk, squashfs, directory)" },
                { "-t dsik",
                  "-t=dsik: unknown format \"dsik\", did you mean \"disk\"? (possible: disk, squashfs, directory)" },
                { "--bootable=perhaps", "--bootable=perhaps: say \"yes\" or \"no\"" },
                { "--output=", "--output=: an empty path" },
                { "biuld", "Unknown verb \"biuld\", did you mean \"build\"? " VERBS },
                { "zebra", "Unknown verb \"zebra\" " VERBS },
                { "-", "Unknown verb \"-\" " VERBS },
                { "build summary", "Two verbs, \"build\" and \"summary\": only one can be done at a time" },
                { "build zebra", "The verb \"build\" takes no further words, but \"zebra\" is one" },
                { "--bootable yes", "Unknown verb \"yes\" " VERBS },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(example_load_freep) ExampleLoad *load = load_words(cases[i].words);

                assert_non_null(load->mistakes.texts);
                assert_string_equal(load->mistakes.texts[0], cases[i].mistake);
                assert_null(load->mistakes.texts[1]);
        }
}

/* What is hidden works when it is spelt out, but does not make a prefix ambiguous, nor is it proposed. */
static void test_hidden(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load = load_words("--help -h"),
                                                  *prefix = load_words("--hel");

        assert_null(load->mistakes.texts);
        assert_true(load->example.help);
        assert_string_equal(prefix->mistakes.texts[0], "Unknown option \"--hel\"");
}

static void test_all_mistakes(void **state) {
        _cleanup_(example_load_freep) ExampleLoad *load =
                load_words("-x --foo --format=x -f build clean --title");

        assert_int_equal(strv_length(STRV(load->mistakes.texts)), 5);
        assert_int_equal(load->example.force, 1);
}

static int load_all(void) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;

        int r = example_load_new(&load);
        if (r >= 0)
                r = example_load_words(load, "--formt=1 --bo -x -fx --format=x -p a -p b biuld explain a b");
        if (r >= 0)
                r = example_load_words(load, "-f shell a b");
        return r;
}

static void test_out_of_memory(void **state) {
        assert_true(fail_every_allocation(load_all) > 30);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),        cmocka_unit_test(test_flags),
                cmocka_unit_test(test_rest),          cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_hidden),        cmocka_unit_test(test_all_mistakes),
                cmocka_unit_test(test_out_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
