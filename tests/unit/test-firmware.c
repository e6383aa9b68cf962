/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "run/firmware.h"
#include "temporary-directory.h"

static const FirmwareTarget x86_64 = { .architecture = "x86_64", .machine = "pc-q35-0" };

static void put(const char *path, const char *text) {
        _cleanup_(freep) char *parent = NULL;

        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

/* A descriptor, with the two files it names. */
static void put_descriptor(const char *path, const char *name, const char *features) {
        _cleanup_(freep) char *text = NULL, *code = NULL, *variables = NULL;

        assert_int_equal(
                text_format(&text,
                            "{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\","
                            "\"executable\": {\"filename\": \"/fw/%s\", \"format\": \"raw\"},"
                            "\"nvram-template\": {\"filename\": \"/fw/%s-vars\", \"format\": \"raw\"}},"
                            "\"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-*\"]}],"
                            "\"features\": [%s]}",
                            name, name, features),
                0);
        put(path, text);
        assert_int_equal(text_format(&code, "root/fw/%s", name), 0);
        assert_int_equal(text_format(&variables, "root/fw/%s-vars", name), 0);
        put(code, "code");
        put(variables, name);
}

/* The path of what is found; NULL: nothing. */
static char *find(const FirmwareTarget *target, bool secure_boot, char ***problems) {
        const FirmwarePlaces places = { .root = "root", .user_directory = "user" };
        Firmware firmware = {};

        const int r = firmware_find(target, secure_boot, &places, &firmware, problems);
        if (r == 0)
                return NULL;
        assert_int_equal(r, 1);
        char *path = TAKE_PTR(firmware.code.path);
        assert_int_equal(firmware.secure_boot || !secure_boot, true);
        firmware_done(&firmware);
        return path;
}

static void assert_found(const FirmwareTarget *target, bool secure_boot, const char *expected) {
        _cleanup_(strv_freep) char **problems = NULL;
        _cleanup_(freep) char *path = find(target, secure_boot, &problems);

        assert_null(problems);
        if (!expected) {
                assert_null(path);
                return;
        }
        assert_non_null(path);
        assert_string_equal(path, expected);
}

#define GENERAL "root/usr/share/qemu/firmware/"
#define LOCAL   "root/etc/qemu/firmware/"

static void test_descriptors(void **state) {
        assert_found(&x86_64, false, NULL);

        /* Those with keys are never taken, those with Secure Boot for others only where there is nothing else. */
        put_descriptor(GENERAL "40-enrolled.json", "enrolled", "\"secure-boot\", \"enrolled-keys\"");
        assert_found(&x86_64, false, NULL);
        assert_found(&x86_64, true, NULL);
        put_descriptor(GENERAL "50-secure.json", "secure", "\"secure-boot\", \"requires-smm\"");
        assert_found(&x86_64, false, "root/fw/secure");
        put_descriptor(GENERAL "60-plain.json", "plain", "");
        assert_found(&x86_64, false, "root/fw/plain");
        assert_found(&x86_64, true, "root/fw/secure");

        /* By name, whatever directory it is in; of one name the most particular one. */
        put_descriptor(LOCAL "55-local.json", "local", "");
        assert_found(&x86_64, false, "root/fw/local");
        put_descriptor("user/55-local.json", "user", "");
        assert_found(&x86_64, false, "root/fw/user");
        put("user/55-local.json", "");
        assert_found(&x86_64, false, "root/fw/plain");
        assert_int_equal(symlink("/dev/null", LOCAL "60-plain.json"), 0);
        assert_found(&x86_64, false, "root/fw/secure");

        /* What is no descriptor by its name, and one whose files are gone. */
        put(LOCAL "10-note.txt", "x");
        put(LOCAL ".10-hidden.json", "x");
        put_descriptor(LOCAL "11-gone.json", "gone", "");
        assert_int_equal(unlink("root/fw/gone-vars"), 0);
        assert_found(&x86_64, false, "root/fw/secure");
}

static void test_broken_descriptor(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;

        put(GENERAL "10-broken.json", "{");
        put_descriptor(GENERAL "60-plain.json", "plain", "");
        _cleanup_(freep) char *path = find(&x86_64, false, &problems);
        assert_string_equal(path, "root/fw/plain");
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_string_equal(problems[0], GENERAL "10-broken.json: It is no well-formed JSON");
}

/* Where there are no descriptors; they win where there are. */
static void test_known_places(void **state) {
        static const FirmwareTarget arm64 = { .architecture = "aarch64", .machine = "virt-0" };

        put("root/usr/share/edk2/ovmf/OVMF_CODE.fd", "fedora");
        assert_found(&x86_64, false, NULL);
        put("root/usr/share/edk2/ovmf/OVMF_VARS.fd", "fedora");
        assert_found(&x86_64, false, "root/usr/share/edk2/ovmf/OVMF_CODE.fd");
        assert_found(&x86_64, true, NULL);
        put("root/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "fedora");
        assert_found(&x86_64, false, "root/usr/share/edk2/ovmf/OVMF_CODE.fd");
        assert_found(&x86_64, true, "root/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd");
        assert_found(&arm64, false, NULL);
        put("root/usr/share/AAVMF/AAVMF_CODE.fd", "debian");
        put("root/usr/share/AAVMF/AAVMF_VARS.fd", "debian");
        assert_found(&arm64, false, "root/usr/share/AAVMF/AAVMF_CODE.fd");
        put_descriptor(GENERAL "60-plain.json", "plain", "");
        assert_found(&x86_64, false, "root/fw/plain");
}

static void test_variables(void **state) {
        Firmware firmware = { .variables = { .path = (char[]){ "vars" } } };
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        put("vars", "variables");
        assert_int_equal(firmware_copy_variables(&firmware, &fd, NULL), 0);
        assert_int_equal(fd_pwrite_all(fd, "V", 1, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_file(fd, 100, &text, NULL), 0);
        assert_string_equal(text, "Variables");
        free(TAKE_PTR(text));
        assert_int_equal(file_read(AT_FDCWD, "vars", 100, &text, NULL), 0);
        assert_string_equal(text, "variables");

        int none = -EBADF;
        assert_int_equal(unlink("vars"), 0);
        assert_int_equal(firmware_copy_variables(&firmware, &none, &reason), -ENOENT);
        assert_string_equal(reason.text, "Cannot open vars: No such file or directory");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_descriptors),
                unit_test_in_directory(test_broken_descriptor),
                unit_test_in_directory(test_known_places),
                unit_test_in_directory(test_variables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
