/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/script-check.h"

#include <elf.h>

static void assert_same(const char *text, const char *expected) {
        if (expected)
                assert_string_equal(text, expected);
        else
                assert_null(text);
}

static void check_parsed(const char *data, size_t size, const ScriptHead *expected) {
        _cleanup_(script_head_done) ScriptHead head = {};

        assert_int_equal(script_head_parse(data, size, &head), 0);
        assert_same(head.interpreter, expected->interpreter);
        assert_same(head.sought, expected->sought);
        assert_int_equal(head.marked, expected->marked);
        assert_int_equal(head.carriage_return, expected->carriage_return);
        assert_int_equal(head.program, expected->program);
        assert_int_equal(head.program_machine, expected->program_machine);
}

#define assert_parsed(data, ...) check_parsed(data, sizeof(data) - 1, &(const ScriptHead){ __VA_ARGS__ })

static char sh[] = "/bin/sh", env[] = "/usr/bin/env", python[] = "python3";

static void test_parse(void **state) {
        assert_parsed("#!/bin/sh -e\nfalse\r\n", .interpreter = sh);
        assert_parsed("#!/bin/sh", .interpreter = sh);
        assert_parsed("#! \t/usr/bin/env python3\n", .interpreter = env, .sought = python);
        assert_parsed("#!/usr/bin/env python3 -u\n", .interpreter = env, .sought = python);
        assert_parsed("#! /usr/bin/env -S python3 -u\r\n", .interpreter = env, .sought = python,
                      .carriage_return = true);
        assert_parsed("#!/usr/bin/env -i python3\n", .interpreter = env);
        assert_parsed("#!/usr/bin/env A=b python3\n", .interpreter = env);
        assert_parsed("#!/usr/bin/env\n", .interpreter = env);
        assert_parsed("#!/bin/sh\r\n", .interpreter = sh, .carriage_return = true);
        assert_parsed("\xef\xbb\xbf#!/bin/sh\n", .marked = true);
        assert_parsed("#!\n/bin/sh\n", .interpreter = NULL);
        assert_parsed("#", .interpreter = NULL);
        assert_parsed("", .interpreter = NULL);
        assert_parsed("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1", .program = true,
                      .program_machine = EM_AARCH64);
        assert_parsed("\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\10\0", .program = true,
                      .program_machine = EM_MIPS);
        assert_parsed("\177ELF\2", .program = false);
}

static void assert_problems(const char *script, const char *expected) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        _cleanup_(strv_freep) char **problems = NULL;
        _cleanup_(freep) char *all = NULL;

        put_file("mkosi.default", "[Packages]\nBuildScript=it's.sh\n", 0644);
        put_file("it's.sh", script, 0755);
        loaded = load_fine();
        assert_int_equal(scripts_check(loaded, &problems), 0);
        assert_int_equal(strv_join(STRV(problems), "\n", &all), 0);
        assert_string_equal(all, expected);
}

#define WHERE "mkosi.default:2: The build script it's.sh "

static void test_check(void **state) {
        assert_problems("#!/bin/sh\n", "");
        /* What the tree has, only the tree knows. */
        assert_problems("#!/no/interpreter\n", "");
        assert_problems("#!/bin/sh\r\n", WHERE
                        "has the line ends of DOS, which become part of its interpreter's name; run: sed -i "
                        "'s/\\r$//' 'it'\\''s.sh'");
        assert_problems("\xef\xbb\xbf#!/bin/sh\n",
                        WHERE "begins with a byte order mark, which hides its first line; run: sed -i "
                              "'1s/^\\xEF\\xBB\\xBF//' 'it'\\''s.sh'");
        assert_problems("exit 0\n",
                        WHERE "does not say what it is run by: let its first line be #!/bin/sh, or the like");
        assert_problems("",
                        WHERE "does not say what it is run by: let its first line be #!/bin/sh, or the like");
}

/* One that is found by its name is named by it, and one for the host is run there. */
static void test_check_for_the_host(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        _cleanup_(strv_freep) char **problems = NULL;

        put_file("mkosi.finalize", "#!/no/interpreter\n", 0755);
        put_file("mkosi.postinst", "#!/no/interpreter\n", 0755);
        loaded = load_fine();
        assert_int_equal(scripts_check(loaded, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_string_equal(
                problems[0],
                "mkosi.finalize: The finalize script mkosi.finalize is to be run by /no/interpreter, "
                "which this host does not have: install it, or change the first line of the script");
        assert_false(script_is_of_plain_shell(loaded, SCRIPT_FINALIZE));
}

/* Whatever this machine runs itself, it runs what the image is for. */
static void test_check_program(void **state) {
        static const char program[20] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267";
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        _cleanup_(strv_freep) char **problems = NULL;

        assert_int_equal(file_write(AT_FDCWD, "mkosi.build", program, sizeof(program), 0755), 0);
        loaded = load_fine("--architecture=arm64");
        assert_int_equal(scripts_check(loaded, &problems), 0);
        assert_null(problems);
}

static void test_check_tree(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_file("mkosi.build", "#!/bin/sh -e\n", 0755);
        put_directory("tree/usr/bin");
        assert_int_equal(symlink("usr/bin", "tree/bin"), 0);
        loaded = load_fine();
        assert_true(script_is_of_plain_shell(loaded, SCRIPT_BUILD));
        assert_int_equal(script_check_tree(loaded, SCRIPT_BUILD, "tree", "Packages"), -ENOENT);
        put_file("tree/usr/bin/sh", "", 0644);
        assert_int_equal(script_check_tree(loaded, SCRIPT_BUILD, "tree", "Packages"), -ENOEXEC);
        put_file("tree/usr/bin/dash", "", 0755);
        assert_int_equal(unlink("tree/usr/bin/sh"), 0);
        assert_int_equal(symlink("/usr/bin/dash", "tree/usr/bin/sh"), 0);
        assert_int_equal(script_check_tree(loaded, SCRIPT_BUILD, "tree", "Packages"), 0);
}

static void test_check_tree_for_env(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL, *own = NULL;

        put_file("mkosi.build", "#!/usr/bin/env python3\n", 0755);
        put_file("tree/usr/bin/env", "", 0755);
        loaded = load_fine();
        own = load_fine("--environment=PATH=/opt");
        assert_int_equal(script_check_tree(loaded, SCRIPT_BUILD, "tree", "Packages"), -ENOENT);
        assert_int_equal(script_check_tree(own, SCRIPT_BUILD, "tree", "Packages"), 0);
        put_file("tree/usr/local/bin/python3", "", 0755);
        assert_int_equal(script_check_tree(loaded, SCRIPT_BUILD, "tree", "Packages"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse), TEST(test_check),      TEST(test_check_for_the_host),
                TEST(test_check_program),     TEST(test_check_tree), TEST(test_check_tree_for_env),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
