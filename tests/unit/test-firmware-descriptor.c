/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "run/firmware-descriptor.h"

static const FirmwareTarget target = { .architecture = "x86_64", .machine = "pc-q35-0" };

#define FILES                                                             \
        "\"executable\": {\"filename\": \"/code\", \"format\": \"raw\"}," \
        "\"nvram-template\": {\"filename\": \"/vars\", \"format\": \"qcow2\"}"
#define DESCRIPTOR(interface, mapping, targets, features)                                               \
        "{\"description\": \"text\", \"interface-types\": [" interface "], \"mapping\": {" mapping "}," \
        "\"targets\": [" targets "], \"features\": [" features "], \"tags\": []}"
#define FLASH "\"device\": \"flash\", "
#define UEFI  "\"bios\", \"uefi\""
#define Q35   "{\"architecture\": \"x86_64\", \"machines\": [\"pc-i440fx-*\", \"pc-q35-*\"]}"
#define OTHERS \
        "{\"architecture\": \"aarch64\", \"machines\": [\"pc-q35-*\"]}, {\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-9.1\", \"microvm\"]}"

static int read_text(const char *text, Firmware *ret, Reason *reason) {
        _cleanup_(freep) char *exact = malloc(strlen(text) + 1);

        assert_non_null(exact);
        memcpy(exact, text, strlen(text));
        return firmware_descriptor_read(exact, strlen(text), &target, ret, reason);
}

static void test_firmware(void **state) {
        static const struct {
                const char *features;
                bool secure_boot, enrolled_keys, requires_smm;
        } cases[] = {
                { "", false, false, false },
                { "\"acpi-s3\", \"verbose-dynamic\"", false, false, false },
                { "\"secure-boot\"", true, false, false },
                { "\"requires-smm\", \"secure-boot\", \"enrolled-keys\"", true, true, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(firmware_done) Firmware firmware = {};
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(text_format(&text,
                                             DESCRIPTOR(UEFI, FLASH "\"mode\": \"split\", " FILES,
                                                        OTHERS "," Q35, "%s"),
                                             cases[i].features),
                                 0);
                assert_int_equal(read_text(text, &firmware, NULL), 1);
                assert_string_equal(firmware.code.path, "/code");
                assert_string_equal(firmware.code.format, "raw");
                assert_string_equal(firmware.variables.path, "/vars");
                assert_string_equal(firmware.variables.format, "qcow2");
                assert_int_equal(firmware.secure_boot, cases[i].secure_boot);
                assert_int_equal(firmware.enrolled_keys, cases[i].enrolled_keys);
                assert_int_equal(firmware.requires_smm, cases[i].requires_smm);
        }
}

static void test_for_others(void **state) {
        static const char *const texts[] = {
                DESCRIPTOR("\"bios\"", FLASH FILES, Q35, ""),
                DESCRIPTOR("", FLASH FILES, Q35, ""),
                DESCRIPTOR(UEFI, FLASH FILES, OTHERS, ""),
                DESCRIPTOR(UEFI, FLASH FILES, "", ""),
                DESCRIPTOR(UEFI, FLASH "\"mode\": \"combined\", " FILES, Q35, ""),
                DESCRIPTOR(
                        UEFI,
                        FLASH
                        "\"mode\": \"stateless\", \"executable\": {\"filename\": \"/code\", \"format\": \"raw\"}",
                        Q35, ""),
                DESCRIPTOR(UEFI, "\"device\": \"memory\", \"filename\": \"/code\"", Q35, ""),
                DESCRIPTOR(UEFI, "\"device\": \"kernel\", \"filename\": \"/code\"", Q35, ""),
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Firmware firmware = {};

                assert_int_equal(read_text(texts[i], &firmware, NULL), 0);
                assert_null(firmware.code.path);
        }
}

static void test_broken(void **state) {
        static const struct {
                const char *text, *why;
        } cases[] = {
                { "", "It is no well-formed JSON" },
                { "[]", "It is no well-formed JSON" },
                { "{}", "The member \"interface-types\" is missing" },
                { DESCRIPTOR(UEFI, FLASH FILES, Q35, "") "x", "It is no well-formed JSON" },
                { DESCRIPTOR(UEFI, FLASH FILES, Q35, "1"),
                  "The member \"features\" is not what it should be" },
                { DESCRIPTOR(UEFI, FILES, Q35, ""), "The member \"device\" is missing" },
                { DESCRIPTOR(UEFI, FLASH FLASH FILES, Q35, ""), "There are two members \"device\"" },
                { DESCRIPTOR(UEFI, FLASH "\"nvram-template\": {\"filename\": \"/vars\", \"format\": \"raw\"}",
                             Q35, ""),
                  "The mapping has no \"executable\"" },
                { DESCRIPTOR(UEFI, FLASH "\"executable\": {\"filename\": \"/code\", \"format\": \"raw\"}",
                             Q35, ""),
                  "The mapping has no \"nvram-template\"" },
                { DESCRIPTOR(UEFI, FLASH "\"executable\": {\"filename\": \"/code\"}", Q35, ""),
                  "The member \"format\" is missing" },
                { DESCRIPTOR(UEFI, FLASH "\"executable\": {\"filename\": \"code\", \"format\": \"raw\"}", Q35,
                             ""),
                  "The file name \"code\" is no absolute path" },
                { DESCRIPTOR(UEFI, FLASH FILES, "{\"machines\": [\"pc-q35-*\"]}", ""),
                  "The member \"architecture\" is missing" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                Firmware firmware = {};

                assert_int_equal(read_text(cases[i].text, &firmware, &reason), -EBADMSG);
                assert_non_null(reason.text);
                if (!text_equal(reason.text, cases[i].why))
                        fail_msg("%s: %s", cases[i].text, reason.text);
                assert_null(firmware.code.path);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_firmware),
                cmocka_unit_test(test_for_others),
                cmocka_unit_test(test_broken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
