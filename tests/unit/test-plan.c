/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/plan.h"

/* What `mkosi plan` prints for a command line. */
#define plan_of(...)                                                                                         \
        ({                                                                                                   \
                _cleanup_(loaded_config_freep) LoadedConfig *_planned =                                      \
                        load_fine("--distribution=debian", "--architecture=x86-64", ##__VA_ARGS__);          \
                char *_text = NULL;                                                                          \
                size_t _size;                                                                                \
                FILE *_file = open_memstream(&_text, &_size);                                                \
                assert_int_equal(plan_print(_planned, &(KeptOutput){}, (const KeptTree[KEPT_MAX]){}, _file), \
                                 0);                                                                         \
                assert_int_equal(fclose(_file), 0);                                                          \
                _text;                                                                                       \
        })

static void assert_has(const char *text, const char *part) {
        if (!strstr(text, part))
                fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_disk(void **state) {
        _cleanup_(freep) char *text = plan_of("--bootable", "--root-size=3G", "--kernel-command-line=quiet",
                                              "--mirror=http://mirror/debian", "-r", "sid");

        assert_has(text, " 1. workspace ");
        assert_has(text, "    debian sid for x86-64 from http://mirror/debian\n");
        assert_has(text, "[Bootable= command line, --bootable]\n");
        assert_has(text, " packages     Installing packages  [always]\n");
        assert_has(text, " clean        Cleaning up the tree  [always]\n");
        assert_has(text, "    kernel command line: quiet\n");
        assert_has(text, "    partitions: esp: 256M, root: 3G\n");
        assert_has(text, "11. publish ");
}

/* Names of files come from people that need not be trusted, and terminals obey control characters. */
static void test_control_characters(void **state) {
        put_file("mkosi.default.d/\033[2J", "[Output]\nOutput=./\033[1mx\n", 0644);
        _cleanup_(freep) char *text = plan_of("--format=directory");

        assert_null(strchr(text, '\033'));
        assert_has(text, "mkosi.default.d/?[2J:2");
        assert_has(text, "/?[1mx\n");
}

static void test_directory(void **state) {
        _cleanup_(freep) char *text = plan_of("--format=directory");

        assert_null(strstr(text, "assemble"));
        assert_null(strstr(text, "initrd"));
}

static void test_signed(void **state) {
        put_file("mkosi.secure-boot.key", "", 0600);
        put_file("mkosi.secure-boot.crt", "", 0644);
        _cleanup_(freep) char *text = plan_of("--bootable", "--secure-boot", "--secure-boot-auto-enroll=yes"),
                              *no_boot = plan_of("--secure-boot");

        const char *at = text;
        static const char *const steps[] = { " boot ", " sign-boot ", " finish " };
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                at = strstr(at, steps[i]);
                assert_non_null(at);
        }
        assert_has(text, "[SecureBoot= command line, --secure-boot]\n");
        assert_has(text, "/mkosi.secure-boot.crt, signatures of others: append, enrollment: force\n");
        assert_null(strstr(no_boot, " sign-boot "));
}

/* What is signed elsewhere has its places kept, and is written down when everything else is there. */
static void test_signed_elsewhere(void **state) {
        static const char *const steps[] = { " boot ",      " reserve ",      " finish ",
                                             " checksums ", " sign-request ", " publish " };

        put_file("mkosi.secure-boot.crt", "", 0644);
        _cleanup_(freep) char *text = plan_of("--bootable", "--secure-boot", "--sign", "--sign-offline");
        const char *at = text;
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                at = strstr(at, steps[i]);
                if (!at)
                        fail_msg("\"%s\" is missing or out of order in:\n%s", steps[i], text);
        }
        assert_null(strstr(text, " sign-boot "));
        assert_null(strstr(text, " sign "));
        assert_has(text, "/mkosi.secure-boot.crt, signatures of others: append, enrollment: off\n");
        assert_has(text, "[SignOffline= command line, --sign-offline]\n");
        assert_has(text, "/image.sign-request\n");
}

/* Every step is there when it is asked for, in this order. */
static void test_all_steps(void **state) {
        static const char *const steps[] = { " assemble ", " bmap ",      " compress ", " nspawn ",
                                             " manifest ", " checksums ", " sign ",     " publish " };

        put_file("mkosi.nspawn", "", 0644);
        _cleanup_(freep) char *text =
                plan_of("--compress-output=zstd:7", "--bmap", "--manifest", "--sign", "--key=me");
        const char *at = text;
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                at = strstr(at, steps[i]);
                if (!at)
                        fail_msg("\"%s\" is missing or out of order in:\n%s", steps[i], text);
        }
        assert_has(text, "    by zstd, level 7\n");
        assert_has(text, "    by GnuPG, with me\n");
        assert_has(text, "/image.raw.zst ");
        assert_has(text, "/SHA256SUMS.gpg\n");
        assert_has(text, "[NSpawnSettings= mkosi.nspawn]");
}

static void test_encryption(void **state) {
        _cleanup_(freep) char *asked = plan_of("--encrypt=all"), *nothing = plan_of("--encrypt=data");

        assert_has(asked, " encrypt      Encrypting partitions  [Encrypt= command line, --encrypt]\n"
                          "    passphrase: asked for on the terminal\n");
        assert_null(strstr(nothing, " encrypt "));
        put_file("mkosi.passphrase", "secret", 0600);
        _cleanup_(freep) char *read = plan_of("--encrypt=data", "--home-size=1G");
        assert_has(read, "/mkosi.passphrase\n");
        assert_has(read, "home: 1G (encrypted)");
        assert_null(strstr(read, "secret"));
}

static void test_archive(void **state) {
        _cleanup_(freep) char *text = plan_of("--format=tar"), *plain = plan_of("--format=tar", "--xz=no");

        assert_has(text, " archive      Writing the archive  [Format= command line, --format]\n    by xz\n");
        assert_null(strstr(text, " compress "));
        assert_null(strstr(text, " assemble "));
        assert_has(plain, "    not compressed\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_disk),       TEST(test_control_characters), TEST(test_directory),
                TEST(test_signed),     TEST(test_all_steps),          TEST(test_archive),
                TEST(test_encryption), TEST(test_signed_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
