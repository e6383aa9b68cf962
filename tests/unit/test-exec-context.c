/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-context.h"

static ExecContext full_context(void) {
        ExecContext context = {
                .control = true,
                .descriptors = { .status = 4, .user = 5, .network = 6, .standard = { 7, -EBADF, 9 } },
        };

        assert_int_equal(text_copy("a@b\\x2d.service", &context.unit), 0);
        assert_int_equal(text_copy("00112233445566778899aabbccddeeff", &context.invocation_id), 0);
        assert_int_equal(text_copy("/run/log", &context.log), 0);
        assert_int_equal(text_copy("/run/registry", &context.registry), 0);
        assert_int_equal(text_copy("/run/pin", &context.network_pin), 0);
        assert_int_equal(strv_append(&context.settings, "ExecStart=/bin/x \"%n\""), 0);
        assert_int_equal(strv_append(&context.environment, "A=\xff\xc3\xa4\x80\n\t"), 0);
        assert_int_equal(text_copy("/bin/x", &context.command.path), 0);
        assert_int_equal(strv_append(&context.command.argv, "x"), 0);
        assert_int_equal(strv_append(&context.command.argv, ""), 0);
        context.command.flags = EXEC_COMMAND_LITERAL | EXEC_COMMAND_NO_USER;
        return context;
}

/* Bytes come through as they are, also what is no text. */
static void test_round(void **state) {
        _cleanup_(exec_context_done) ExecContext context = full_context(), read = {};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(exec_context_write(&context, &text), 0);
        assert_int_equal(exec_context_read(text, &read, NULL), 0);
        assert_string_equal(read.unit, context.unit);
        assert_string_equal(read.invocation_id, context.invocation_id);
        assert_string_equal(read.log, context.log);
        assert_string_equal(read.registry, context.registry);
        assert_string_equal(read.network_pin, context.network_pin);
        assert_null(read.private_tmp);
        assert_null(read.user_records);
        assert_true(strv_equal(STRV(read.settings), STRV(context.settings)));
        assert_true(strv_equal(STRV(read.environment), STRV(context.environment)));
        assert_true(strv_equal(STRV(read.command.argv), STRV(context.command.argv)));
        assert_string_equal(read.command.path, "/bin/x");
        assert_int_equal(read.command.flags, context.command.flags);
        assert_true(read.control);
        assert_memory_equal(&read.descriptors, &context.descriptors, sizeof(ExecDescriptors));
}

#define REST "\"settings\":[],\"command\":{\"path\":\"/x\",\"argv\":[\"x\"]}"

static void test_refused(void **state) {
        static const char *const texts[] = {
                "",
                "[]",
                "{}",
                "{\"unit\":\"a.service\"}",
                "{\"unit\":\"a\"," REST "}",
                "{\"unit\":\"a@.service\"," REST "}",
                "{\"unit\":\"a.service\"," REST "} x",
                "{\"unit\":\"a.service\",\"invocation-id\":\"00\"," REST "}",
                "{\"unit\":\"a.service\",\"log\":\"/\\u0100\"," REST "}",
                "{\"unit\":\"a.service\",\"environment\":[\"A\"]," REST "}",
                "{\"unit\":\"a.service\",\"environment\":[\"=A\"]," REST "}",
                "{\"unit\":\"a.service\",\"environment\":[\"A=\\u20ac\"]," REST "}",
                "{\"unit\":\"a.service\",\"descriptors\":{\"status\":2}," REST "}",
                "{\"unit\":\"a.service\",\"descriptors\":{\"status\":4294967296}," REST "}",
                "{\"unit\":\"a.service\",\"settings\":[],\"command\":{\"path\":\"\",\"argv\":[\"x\"]}}",
                "{\"unit\":\"a.service\",\"settings\":[],\"command\":{\"path\":\"/x\",\"argv\":[]}}",
                "{\"unit\":\"a.service\",\"settings\":[],\"command\":{\"path\":\"/x\",\"argv\":[\"x\"],\"flags\":16}}",
        };
        _cleanup_(exec_context_done) ExecContext good = {};

        assert_int_equal(exec_context_read("{\"unit\":\"a.service\"," REST "}", &good, NULL), 0);
        assert_int_equal(good.descriptors.status, -EBADF);
        assert_int_equal(good.descriptors.standard[2], -EBADF);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(reason_done) Reason reason = {};
                ExecContext context;

                if (exec_context_read(texts[i], &context, &reason) != -EINVAL)
                        fail_msg("%s", texts[i]);
                assert_non_null(reason.text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_round), cmocka_unit_test(test_refused) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
