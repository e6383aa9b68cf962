/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "capture.h"
#include "run/virtual-machine.h"

static const LoadedConfig *under_test;

/* A stand-in for the emulator, and firmware that descriptors of the user name. */
static void put_host(void) {
        put_file("bin/qemu-system-x86_64", "#!/bin/sh\nexit 42\n", 0755);
        put_file("fw/code", "code", 0644);
        put_file("fw/vars", "vars", 0644);
        _cleanup_(freep) char *text = NULL, *configuration = NULL;
        assert_int_equal(
                text_format(&text,
                            "{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\","
                            "\"executable\": {\"filename\": \"%s/fw/code\", \"format\": \"raw\"},"
                            "\"nvram-template\": {\"filename\": \"%s/fw/vars\", \"format\": \"raw\"}},"
                            "\"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-*\"]}]}",
                            fixture_directory, fixture_directory),
                0);
        put_file("configuration/qemu/firmware/00-first.json", text, 0644);
        assert_int_equal(text_format(&configuration, "%s/configuration", fixture_directory), 0);
        assert_int_equal(setenv("XDG_CONFIG_HOME", configuration, 1), 0);
}

static void try_new(void) {
        VirtualMachine *machine = NULL;

        assert_int_equal(virtual_machine_new(under_test, &machine), -ENOTSUP);
        assert_null(machine);
}

static void assert_refused(LoadedConfig *loaded, const char *why) {
        under_test = loaded;
        _cleanup_(freep) char *said = capture_stderr(try_new);

        if (!strstr(said, why))
                fail_msg("not said: %s\nbut: %s", why, said);
        loaded_config_free(loaded);
}

static void test_refused(void **state) {
        put_host();
        assert_refused(load_fine("--architecture=x86-64", "--extra-search-path=bin"), "Without Bootable=yes");
        assert_refused(load_fine("--architecture=x86-64", "--format=tar", "--extra-search-path=bin"),
                       "Format=tar (command line, --format) is no disk image");
        assert_refused(
                load_fine("--architecture=x86-64", "--bootable", "--compress-output=zstd",
                          "--extra-search-path=bin"),
                "image.raw.zst is compressed, and a virtual machine needs a disk that it can read anywhere: "
                "unpack it with \"zstd --decompress --keep image.raw.zst\", and then run "
                "\"mkosi --compress-output=no --output=./image.raw qemu\"");
}

static void test_found(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        _cleanup_(virtual_machine_freep) VirtualMachine *machine = NULL;

        put_host();
        loaded = load_fine("--architecture=x86-64", "--bootable", "--extra-search-path=bin");
        assert_int_equal(virtual_machine_new(loaded, &machine), 0);
        assert_in_project(machine->program, "/bin/qemu-system-x86_64");
        assert_in_project(machine->firmware.code.path, "/fw/code");
        assert_in_project(machine->firmware.variables.path, "/fw/vars");
}

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_refused), TEST(test_found) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
