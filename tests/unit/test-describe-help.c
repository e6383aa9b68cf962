/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "describe-helper.h"
#include "setting/describe-text.h"

/* clang-format off */
static const char expected[] =
        "program [OPTION ...] [VERB [WORD ...]]\n"
        "\n"
        "make examples\n"
        "\n"
        "Verbs:\n"
        "  build                       build it: now\n"
        "  summary                     show it\n"
        "  explain SETTING             explain it\n"
        "  shell COMMAND               look inside\n"
        "\n"
        "Options:\n"
        "  -C --directory=PATH         go there first\n"
        "\n"
        "Output:\n"
        "  -t --format=WORD            kind of output\n"
        "     --compress[=ALGORITHM]   compress it\n"
        "  -f --force                  replace what is there\n"
        "  -b --bootable               it's to boot\n"
        "     --boot-protocols=LIST    firmware: [uefi]\n"
        "     --title=TEXT             what it is called\n"
        "  -o --output=PATH            where it is put\n"
        "     --password=TEXT          of root\n"
        "\n"
        "Content:\n"
        "  -p --package=LIST           to install\n"
        "     --repositories=LIST      to install from\n"
        "     --extra-tree=PATH        to copy\n"
        "     --search-path=PATH       where tools are\n"
        "     --tool=COMMAND           a tool with a help that is not so short\n"
        "  -T --without-tests          no tests\n"
        "\n"
        "Partitions:\n"
        "     --root-size=SIZE         of the root partition\n";
/* clang-format on */

static void test_help(void **state) {
        _cleanup_(freep) char *text = describe_to_text(describe_help);

        assert_string_equal(text, expected);
}

/* A long option and a long help take lines of their own; nothing is wider than a terminal. */
static void test_width(void **state) {
        const Setting row = { .option = "an-option-that-takes-up-much-room",
                              .type = &setting_type_path,
                              .help = "a help that goes on and on and on, over the end of the line" };
        const SettingTable table = { .rows = &row, .n_rows = 1 };
        const SettingProgram program = { .name = "p", .purpose = "x", .table = &table };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        describe_help(&program, stream);
        assert_int_equal(fclose(stream), 0);
        assert_string_equal(text,
                            "p [OPTION ...]\n\nx\n\nOptions:\n"
                            "     --an-option-that-takes-up-much-room=PATH\n"
                            "                              a help that goes on and on and on, over the end\n"
                            "                              of the line\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_help),
                cmocka_unit_test(test_width),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
