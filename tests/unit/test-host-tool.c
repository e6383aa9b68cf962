/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/path.h"
#include "base/text.h"
#include "distro/host-tool.h"
#include "temporary-directory.h"

static const char *const places[] = { "one", NULL };
static const char *const hidden[] = { "/etc", "/nonexistent", NULL };
static const char *const tree_places[] = { "var/lib/tea", NULL };
static const HostTool tool = {
        .name = "tea",
        .places = places,
        .cache = "cups",
        .hidden = hidden,
        .tree_places = tree_places,
};

static const SandboxMount *find_mount(const HostRun *run, const char *target) {
        for (size_t i = 0; i < run->n_mounts; i++)
                if (text_equal(run->mounts[i].target, target))
                        return &run->mounts[i];
        return NULL;
}

static void assert_directory(const char *path, mode_t mode) {
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | mode);
}

static void test_private_places(void **state) {
        char mirror[] = "file:///srv/tea";
        const Config config = { .mirror = mirror };
        const Installation installation = { .config = &config, .root = "tree", .workspace = "work" };
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&tool, &installation);

        assert_int_equal(mkdir("work", 0700), 0);
        assert_int_equal(host_run_open(&run), 0);
        assert_directory("work/tea/one", 0755);
        assert_directory("work/tea/cups", 0755);
        assert_directory("work/tea/home", 0755);
        assert_string_equal(run.inside, "/run/tea");
        assert_string_equal(find_mount(&run, "/run/tea")->source, "work/tea");
        assert_string_equal(find_mount(&run, "/root")->source, "work/tea/home");
        assert_int_equal(find_mount(&run, "/root")->type, SANDBOX_BIND_READ_ONLY);
        assert_int_equal(find_mount(&run, "/etc")->type, SANDBOX_TMPFS);
        assert_null(find_mount(&run, "/nonexistent"));
        assert_null(find_mount(&run, DISTRO_TREE "/dev"));
        assert_string_equal(run.mirror_directory, "/srv/tea");
}

static void test_tree(void **state) {
        char mirror[] = "file:///srv/tea";
        const Config config = { .mirror = mirror };
        Installation installation = { .config = &config, .root = "tree", .workspace = "." };
        _cleanup_(host_run_done) HostRun run = HOST_RUN_INIT(&tool, &installation),
                                         other = HOST_RUN_INIT(&tool, &installation);

        assert_int_equal(host_run_open(&run), 0);
        assert_int_equal(host_run_mount_tree(&run), -ENOENT);
        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(host_run_mount_tree(&run), 0);
        assert_directory("tree/dev", 0755);
        assert_directory("tree/proc", 0555);
        assert_directory("tree/sys", 0555);
        assert_directory("tree/run", 0755);
        assert_directory("tree/tmp", 01777);
        assert_directory("tree/var/lib/tea", 0755);
        assert_int_equal(find_mount(&run, DISTRO_TREE "/proc")->type, SANDBOX_PROC);
        assert_int_equal(find_mount(&run, "/srv/tea")->type, SANDBOX_BIND_READ_ONLY);
        /* Without a cache of the project the private place is one, for this build. */
        assert_null(find_mount(&run, "/run/tea/cups"));

        installation.cache = "/var/cups";
        assert_int_equal(host_run_open(&other), 0);
        assert_int_equal(host_run_mount_tree(&other), 0);
        assert_string_equal(find_mount(&other, "/run/tea/cups")->source, "/var/cups");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_private_places),
                unit_test_in_directory(test_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
