/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "foreign-program.h"
#include "format/partition-type.h"

/* As mkosi of 2017 wrote them, and the specification still does. */
static void test_known(void **state) {
        static const struct {
                PartitionType type;
                const char *architecture, *uuid;
        } cases[] = {
                { PARTITION_ROOT, "x86", "44479540-f297-41b2-9af7-d131d5f0458a" },
                { PARTITION_ROOT, "x86-64", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709" },
                { PARTITION_ROOT, "arm", "69dad710-2ce4-4e3c-b16c-21a1d49abed3" },
                { PARTITION_ROOT, "arm64", "b921b045-1df0-41c3-af44-4c6f280d3fae" },
                { PARTITION_ROOT, "ia64", "993d8d3d-f80e-4225-855a-9daf8ed7ea97" },
                { PARTITION_ROOT_VERITY, "x86", "d13c5d3b-b5d1-422a-b29f-9454fdc89d76" },
                { PARTITION_ROOT_VERITY, "x86-64", "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5" },
                { PARTITION_ROOT_VERITY, "arm", "7386cdf2-203c-47a9-a498-f2ecce45a2d6" },
                { PARTITION_ROOT_VERITY, "arm64", "df3300ce-d69f-4c92-978c-9bfb0f38d820" },
                { PARTITION_ROOT_VERITY, "ia64", "86ed10d5-b607-45bb-8957-d350f23d0571" },
                { PARTITION_ROOT_VERITY_SIGNATURE, "x86-64", "41092b05-9fc8-4523-994f-2def0408b176" },
                { PARTITION_ROOT_VERITY_SIGNATURE, "riscv64", "efe0f087-ea8d-4469-821a-4c2a96a8386a" },
                { PARTITION_ESP, "arm", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" },
                { PARTITION_XBOOTLDR, "x86-64", "bc13c2ff-59e6-4262-a352-b275fd6f7172" },
                { PARTITION_SWAP, "x86-64", "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f" },
                { PARTITION_HOME, "x86-64", "933ac7e1-2eb4-4f13-b844-0e14e2aef915" },
                { PARTITION_SRV, "x86-64", "3b8f8425-20e0-4f3b-907f-1a25a76f98e8" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[UUID_TEXT_SIZE];
                unsigned architecture;

                assert_int_equal(partition_architecture_find(cases[i].architecture, &architecture), 0);
                uuid_format(partition_type_uuid(cases[i].type, architecture), text);
                assert_string_equal(text, cases[i].uuid);
        }
}

/* systemd lists all types it knows, "root-x86-64-verity-sig" and so on, with their UUIDs. */
static void test_systemd(void **state) {
        _cleanup_(freep) char *list = FOREIGN_CHECK("systemd-id128", "show", "--uuid");
        static const struct {
                PartitionType type;
                const char *suffix;
        } types[] = {
                { PARTITION_ROOT, "" },
                { PARTITION_ROOT_VERITY, "-verity" },
                { PARTITION_ROOT_VERITY_SIGNATURE, "-verity-sig" },
        };
        unsigned n = 0;

        for (unsigned i = 0; partition_architecture_name(i); i++, n++)
                for (size_t j = 0; j < ELEMENTSOF(types); j++) {
                        _cleanup_(freep) char *name = NULL;
                        char text[UUID_TEXT_SIZE];

                        assert_true(asprintf(&name, "\nroot-%s%s ", partition_architecture_name(i),
                                             types[j].suffix) > 0);
                        const char *line = strstr(list, name);
                        if (!line)
                                fail_msg("systemd does not know %s", name + 1);
                        line += strlen(name);
                        line += strspn(line, " ");
                        uuid_format(partition_type_uuid(types[j].type, i), text);
                        assert_memory_equal(line, text, strlen(text));
                }
        assert_int_equal(n, 21);

        for (PartitionType type = 0; type < PARTITION_ROOT; type++) {
                char text[UUID_TEXT_SIZE];

                uuid_format(partition_type_uuid(type, 0), text);
                assert_non_null(strstr(list, text));
        }
}

static void test_names(void **state) {
        unsigned architecture = 77, found;

        assert_int_equal(partition_architecture_find("x86_64", &architecture), -ENOENT);
        assert_int_equal(partition_architecture_find("", &architecture), -ENOENT);
        assert_int_equal(architecture, 77);
        for (unsigned i = 0; partition_architecture_name(i); i++) {
                assert_int_equal(partition_architecture_find(partition_architecture_name(i), &found), 0);
                assert_int_equal(found, i);
        }

        for (PartitionType type = 0; type < PARTITION_TYPE_MAX; type++)
                assert_non_null(partition_type_name(type));
        assert_string_equal(partition_type_name(PARTITION_ESP), "esp");
        assert_string_equal(partition_type_name(PARTITION_ROOT_VERITY_SIGNATURE), "root-verity-sig");
}

/* Every type is found again, of every architecture. */
static void test_find(void **state) {
        for (PartitionType type = 0; type < PARTITION_TYPE_MAX; type++)
                for (unsigned i = 0; partition_architecture_name(i); i++) {
                        PartitionType found = PARTITION_TYPE_MAX;
                        unsigned architecture = UINT_MAX;

                        assert_int_equal(
                                partition_type_find(partition_type_uuid(type, i), &found, &architecture), 0);
                        assert_int_equal(found, type);
                        assert_int_equal(architecture, type < PARTITION_ROOT ? UINT_MAX : i);
                }
        assert_int_equal(partition_type_find((Uuid){ { 1 } }, &(PartitionType){ 0 }, &(unsigned){ 0 }),
                         -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_systemd),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
