/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "describe-helper.h"
#include "temporary-directory.h"

static void test_content(void **state) {
        static const char *const parts[] = {
                ".TH PROGRAM 1 \"2025-01-31\" \"program 1.2\"\n.SH NAME\nprogram \\- make examples\n",
                ".SH DESCRIPTION\nFirst paragraph.\n.PP\n\\&.Second 'paragraph' \\e with\\-signs.\n",
                ".TP\n\\fBexplain\\fR \\fISETTING\\fR\nexplain it\n",
                ".TP\n\\fBshell\\fR \\fICOMMAND\\fR\n\\&.Not a request.\n",
                ".SH OPTIONS\n",
                ".TP\n\\fB\\-\\-directory=\\fR\\fIPATH\\fR, \\fB\\-C\\fR \\fIPATH\\fR\n",
                ".SS [Output]\nWhat is made.\n.TP\n"
                "\\fBFormat=\\fR, \\fB\\-\\-format=\\fR\\fIWORD\\fR, \\fB\\-t\\fR \\fIWORD\\fR\n"
                "\\-x .TH a\\eb 'c' \\(ti\\(ha\\(ga\n"
                ".IP\nOne of\n\\fBdisk\\fR,\n\\fBsquashfs\\fR,\n\\fBdirectory\\fR\n"
                ".br\nAlso understood:\n\\fBraw_gpt\\fR for \\fBdisk\\fR,\n\\fBfolder\\fR for \\fBdirectory\\fR\n"
                ".br\nDefault: disk\n",
                "\\fBCompress=\\fR, \\fB\\-\\-compress\\fR[\\fB=\\fR\\fIALGORITHM\\fR]\n",
                "\\fBBootable=\\fR, \\fB\\-\\-bootable\\fR[\\fB=\\fR\\fIBOOL\\fR], \\fB\\-b\\fR\n",
                "Former name: Caption\n",
                "Not in this version: not yet\n",
                "Former name: \\-\\-extra\\-dir\n",
                ".SH FILES\n.TP\n\\fIprogram.default\\fR\nThe settings.\n",
                ".TP\n\\fI.hidden\\fR\n\\&'Quoted' at the start.\n",
                ".SH EXIT STATUS\n",
                ".SH SEE ALSO\n\\fBbash\\fR(1),\n\\fBzsh\\fR(1)\n",
        };
        _cleanup_(freep) char *text = describe_to_text(describe_manual);
        const char *rest = text;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                rest = strstr(rest, parts[i]);
                if (!rest)
                        print_error("not found, or not in order:\n%s", parts[i]);
                assert_non_null(rest);
        }
        assert_null(strstr(text, "show help")); /* hidden */
}

/* A page about files has neither options nor an exit status, and says how these files are written. */
static void test_files(void **state) {
        SettingTable table = example_table;
        SettingProgram program = example_program;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        table.dialect = SETTING_DIALECT_UNIT;
        program.table = &table;
        program.synopsis = ".example files";
        program.n_verbs = 0;

        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        describe_manual(&program, stream);
        assert_int_equal(fclose(stream), 0);

        assert_non_null(strstr(text, ".TH PROGRAM 5 \"2025-01-31\""));
        assert_non_null(strstr(text, ".SH SYNOPSIS\n\\&.example files\n.SH DESCRIPTION\n"));
        assert_non_null(strstr(text, "A backslash at the end"));
        assert_null(strstr(text, "indented"));
        assert_null(strstr(text, "EXIT STATUS"));
        assert_true(JUDGE(text, "mandoc", "-T", "lint", "-W", "warning") <= 0);
}

static void test_every_row(void **state) {
        _cleanup_(freep) char *text = describe_to_text(describe_manual);

        for (const Setting *row = example_rows; row < example_rows + ELEMENTSOF(example_rows); row++) {
                _cleanup_(freep) char *heading = NULL;

                if (!row->name)
                        continue;
                assert_int_equal(text_format(&heading, ".TP\n\\fB%s=\\fR", row->name), 0);
                assert_non_null(strstr(text, heading));
        }
}

static void test_lint(void **state) {
        _cleanup_(freep) char *text = describe_to_text(describe_manual);

        const int r = JUDGE(text, "mandoc", "-T", "lint", "-W", "warning");
        if (r < 0)
                skip();
        assert_int_equal(r, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_content),
                unit_test_in_directory(test_files),
                cmocka_unit_test(test_every_row),
                unit_test_in_directory(test_lint),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
