/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "distro/dnf-config.h"
#include "distro/fedora.h"

static const char *const keys[] = { "file:///run/dnf/keys/0", "file:///run/dnf/keys/1", NULL };

static void expect(DnfConfig config, const char *wanted, const char *unwanted) {
        _cleanup_(freep) char *text = NULL;

        config.architecture = config.architecture ?: "x86_64";
        config.keys = keys;
        assert_int_equal(dnf_config_format(&config, &text), 0);
        assert_non_null(text_after_prefix(text, "[main]\ngpgcheck=1\n"));
        assert_non_null(strstr(text, wanted));
        assert_null(strstr(text, "gpgcheck=0\ngpgcheck"));
        assert_null(strstr(text, unwanted));
        assert_non_null(strstr(text, "\ngpgkey=file:///run/dnf/keys/0 file:///run/dnf/keys/1\n"));
        assert_non_null(strstr(text, "\ninstall_weak_deps=0\n"));
}

static void test_format(void **state) {
        static const char *const testing[] = { "updates-testing", NULL };
        const DnfArchive *fedora = distro_fedora.dnf, *centos = distro_centos.dnf;

        expect((DnfConfig){ .archive = fedora, .release = "44" },
               "[fedora]\nname=fedora\nmetalink=https://mirrors.fedoraproject.org/metalink?arch=x86_64&repo=fedora-44\n"
               "enabled=1\ngpgcheck=1\nrepo_gpgcheck=0\n",
               "updates-testing");
        expect((DnfConfig){ .archive = fedora,
                            .release = "44",
                            .mirror = "http://mirror/fedora//",
                            .with_docs = true },
               "baseurl=http://mirror/fedora/releases/44/Everything/x86_64/os/ "
               "http://mirror/fedora/development/44/Everything/x86_64/os/\n",
               "tsflags");
        expect((DnfConfig){ .archive = fedora, .release = "rawhide" }, "[rawhide]\n", "[fedora]\n");
        expect((DnfConfig){ .archive = fedora, .release = "44", .repositories = testing },
               "[updates-testing]\n", "[fedora]\n");
        expect((DnfConfig){ .archive = fedora, .release = "44" }, "\ntsflags=nodocs\n", "module_platform_id");
        expect((DnfConfig){ .archive = fedora, .release = "44" }, "[main]\n", "\narch=");
        expect((DnfConfig){ .archive = fedora, .release = "44", .architecture = "aarch64", .foreign = true },
               "\narch=aarch64\nignorearch=1\n", "$");
        expect((DnfConfig){ .archive = centos, .release = "9" }, "\nmodule_platform_id=platform:el9\n", "$");
}

static void test_releases(void **state) {
        assert_true(dnf_release_is_valid(distro_fedora.dnf, "44"));
        assert_true(dnf_release_is_valid(distro_fedora.dnf, "rawhide"));
        assert_false(dnf_release_is_valid(distro_centos.dnf, "rawhide"));
        assert_false(dnf_release_is_valid(distro_fedora.dnf, ""));
        assert_false(dnf_release_is_valid(distro_fedora.dnf, NULL));
        assert_false(dnf_release_is_valid(distro_fedora.dnf, "44/../.."));
        assert_false(dnf_release_is_valid(distro_fedora.dnf, "12345"));
}

static void test_rpmdb(void **state) {
        _cleanup_(freep) char *text = NULL;

        assert_string_equal(dnf_rpmdb(distro_fedora.dnf, "35"), "var/lib/rpm");
        assert_string_equal(dnf_rpmdb(distro_fedora.dnf, "36"), "usr/lib/sysimage/rpm");
        assert_string_equal(dnf_rpmdb(distro_fedora.dnf, "rawhide"), "usr/lib/sysimage/rpm");
        assert_string_equal(dnf_rpmdb(distro_centos.dnf, "9"), "var/lib/rpm");
        assert_string_equal(dnf_rpmdb(distro_mageia.dnf, "9"), "var/lib/rpm");
        assert_int_equal(dnf_macros_format(distro_centos.dnf, "10", &text), 0);
        assert_non_null(text_after_prefix(text, "%_dbpath /usr/lib/sysimage/rpm\n%_netsharedpath "));
        assert_non_null(strstr(text, "\n%__transaction_selinux %{nil}\n"));
}

static void test_repositories(void **state) {
        assert_non_null(dnf_repository_find(distro_fedora.dnf, "44", "updates"));
        assert_null(dnf_repository_find(distro_fedora.dnf, "44", "rawhide"));
        assert_null(dnf_repository_find(distro_fedora.dnf, "rawhide", "updates"));
        assert_null(dnf_repository_find(distro_fedora.dnf, "44", "main"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_rpmdb),
                cmocka_unit_test(test_repositories),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
