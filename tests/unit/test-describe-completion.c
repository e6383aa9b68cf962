/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "describe-helper.h"
#include "temporary-directory.h"

static char *completion(const char *shell) {
        size_t size;
        char *text;
        FILE *stream = open_memstream(&text, &size);

        assert_int_equal(describe_completion(&example_program, shell, stream), 0);
        assert_int_equal(fclose(stream), 0);
        return text;
}

/* Every shell finds its script well-formed. */
static void test_syntax(void **state) {
        static const char *const shells[] = { "bash", "zsh", "fish" };
        size_t n_judged = 0;

        for (size_t i = 0; i < ELEMENTSOF(shells); i++) {
                _cleanup_(freep) char *text = completion(shells[i]);

                const int r = JUDGE(text, shells[i], "-n");
                if (r >= 0)
                        assert_int_equal(r, 0);
                n_judged += r >= 0;
        }
        if (n_judged == 0)
                skip();
}

static void test_unknown_shell(void **state) {
        assert_int_equal(describe_completion(&example_program, "tcsh", stderr), -EINVAL);
        assert_int_equal(describe_completion(&example_program, "", stderr), -EINVAL);
}

/* What bash proposes behind the words, of which the last is under way. */
static void test_bash(void **state) {
        static const struct {
                const char *words, *replies;
        } cases[] = {
                { "''", "build summary explain shell" },
                { "b", "build" },
                { "-f s", "summary shell" },
                { "build ''", "" },
                { "--for", "--format --force" },
                { "--he", "" }, /* hidden */
                { "-t ''", "disk squashfs directory" },
                { "--format d", "disk directory" },
                { "--format =", "disk squashfs directory" },
                { "--format = s", "squashfs" },
                { "--bootable = ''", "yes no" },
                { "--bootable ''", "build summary explain shell" },
                { "--compress = z", "zstd" },
                { "--title ''", "one two" },
                { "--title = t", "two" },
                { "--root-size ''", "" },
                { "--output a\\ ", "a b" },
                { "build --out", "--output" },
                { "explain ''", "first second" },
                { "-f explain x s", "second" },
                { "explain --out", "--output" },
        };
        _cleanup_(freep) char *script = completion("bash");

        if (JUDGE("", "bash") < 0)
                skip();
        assert_int_equal(file_write_text(AT_FDCWD, "a b", "", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(
                        text_format(&text,
                                    "%s\nCOMP_WORDS=(program %s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                    "_program\n[[ \"${COMPREPLY[*]}\" == '%s' ]] && exit 0\n"
                                    "echo \"%s: ${COMPREPLY[*]}\" >&2\nexit 1\n",
                                    script, cases[i].words, cases[i].replies, cases[i].words),
                        0);
                assert_int_equal(JUDGE(text, "bash"), 0);
        }
}

/* Quotes and the signs that mean something to zsh are given as they are. */
static void test_quotes(void **state) {
        _cleanup_(freep) char *bash = completion("bash"), *zsh = completion("zsh"),
                              *fish = completion("fish");

        assert_non_null(strstr(zsh, "'(--bootable -b)--bootable=-[it'\\''s to boot]::BOOL:(yes no)'"));
        assert_non_null(strstr(zsh, "'*--boot-protocols=[firmware\\: \\[uefi\\]]:LIST:'"));
        assert_non_null(
                strstr(zsh, "'--title=[what it is called]:TEXT:{compadd -- $(echo one two 2>/dev/null)}'"));
        assert_non_null(strstr(fish, " -l title -x -a '(echo one two 2>/dev/null)' -d "));
        assert_non_null(strstr(zsh, "'build:build it\\: now'"));
        assert_non_null(strstr(zsh, "'(--output -o)-o+[where it is put]:PATH:_files'"));
        assert_non_null(
                strstr(fish, "complete -c program -l bootable -s b -f -a 'yes no' -d 'it\\'s to boot'\n"));
        assert_non_null(strstr(fish, "complete -c program -l output -s o -r -F -d 'where it is put'\n"));
        assert_non_null(strstr(zsh, "explain) compadd -- $(echo first second 2>/dev/null) ;;\n"));
        assert_non_null(strstr(fish, "complete -c program -n '__fish_seen_subcommand_from explain' "
                                     "-a '(echo first second 2>/dev/null)'\n"));
        assert_non_null(strstr(bash, "complete -F _program -o default program\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_syntax),
                cmocka_unit_test(test_unknown_shell),
                unit_test_in_directory(test_bash),
                cmocka_unit_test(test_quotes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
