/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/dnf-run.h"
#include "distro/fedora.h"

static void test_arguments(void **state) {
        static const char *const packages[] = { "vim", "@core", NULL };
        _cleanup_(strv_freep) char **fetch = NULL, **install = NULL;
        _cleanup_(freep) char *text = NULL;
        char release[] = "44";
        const Config config = { .release = release };
        const Installation installation = { .config = &config, .distro = &distro_fedora };

        assert_int_equal(dnf_arguments(&installation, DNF_FETCH, packages, &fetch), 0);
        assert_int_equal(strv_join(STRV(fetch), " ", &text), 0);
        assert_string_equal(
                text, "dnf-3 --assumeyes --noplugins --allowerasing --config=/run/dnf/dnf.conf "
                      "--installroot=/run/tree --setopt=cachedir=/run/dnf/cache --setopt=logdir=/run/dnf/log "
                      "--setopt=reposdir=/run/dnf/repos --setopt=varsdir=/run/dnf/vars --releasever=44 "
                      "--downloadonly install -- vim @core");
        assert_int_equal(dnf_arguments(&installation, DNF_INSTALL, packages, &install), 0);
        assert_true(strv_contains(STRV(install), "--cacheonly"));
        assert_false(strv_contains(STRV(install), "--downloadonly"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arguments),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
