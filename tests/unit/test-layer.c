/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/text.h"
#include "image/layer.h"
#include "temporary-directory.h"

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static void assert_text(const char *directory, const char *name, const char *expected) {
        _cleanup_(freep) char *path = NULL, *text = NULL;

        assert_int_equal(text_format(&path, "%s/%s", directory, name), 0);
        const int r = file_read(AT_FDCWD, path, 100, &text, NULL);
        if (!expected) {
                assert_int_equal(r, -ENOENT);
                return;
        }
        assert_int_equal(r, 0);
        assert_string_equal(text, expected);
}

static void change(const char *directory, const char *name, const char *text) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(text_format(&path, "%s/%s", directory, name), 0);
        if (text)
                put(path, text);
        else
                assert_int_equal(unlink(path), 0);
}

static Layer *make(const char *directory, const char *first, const char *second) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *here = get_current_dir_name(), *path = NULL;
        const char *const below[] = { first, second, NULL };
        Layer *layer = NULL;

        assert_int_equal(text_format(&path, "%s/%s", here, directory), 0);
        const int r = layer_new(&(LayerOptions){ .below = below, .directory = path }, &layer, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        return layer;
}

static void make_base(void) {
        assert_int_equal(mkdir("base", 0751), 0);
        assert_int_equal(chmod("base", 01751), 0);
        put("base/kept", "base");
        put("base/changed", "base");
        put("base/removed", "base");
        assert_int_equal(mkdir("base/directory", 0755), 0);
        put("base/directory/file", "base");
}

/* What is done above does not show below, and goes with the layer. */
static void test_changes_stay_above(void **state) {
        struct stat status;

        if (geteuid() != 0)
                skip();
        make_base();
        Layer *layer = make("layer", "base", NULL);
        assert_int_equal(stat(layer->path, &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 01751);
        change(layer->path, "changed", "above");
        change(layer->path, "new", "above");
        change(layer->path, "removed", NULL);
        assert_text(layer->path, "kept", "base");
        assert_text(layer->path, "changed", "above");
        assert_text("base", "changed", "base");
        assert_text("base", "removed", "base");
        assert_text("base", "new", NULL);

        assert_int_equal(layer_remove(layer), 0);
        layer_free(layer);
        assert_int_equal(access("layer", F_OK), -1);
        assert_text("base", "changed", "base");
}

/* What was changed can be put away, and be below a later layer together with what it was above. */
static void test_changes_are_kept(void **state) {
        _cleanup_(freep) char *content = NULL;

        if (geteuid() != 0)
                skip();
        make_base();
        Layer *layer = make("layer", "base", NULL);
        const bool overlay = layer->overlay;
        change(layer->path, "changed", "above");
        change(layer->path, "removed", NULL);
        assert_int_equal(layer_detach(layer, &content), 0);
        assert_int_equal(rename(content, "kept"), 0);
        layer_free(layer);

        layer = make("layer", "kept", overlay ? "base" : NULL);
        assert_text(layer->path, "changed", "above");
        assert_text(layer->path, "removed", NULL);
        assert_text(layer->path, "directory/file", "base");
        change(layer->path, "changed", "uppermost");
        layer_free(layer);
        assert_text("kept", "changed", "above");
        assert_text("base", "changed", "base");
}

/* On an overlay there is no other: a copy does it, but not above changes alone. */
static void test_copy(void **state) {
        _cleanup_(freep) char *options = NULL, *here = get_current_dir_name();
        const char *const below[] = { "base", "base", NULL };
        Layer *none = NULL;

        if (geteuid() != 0)
                skip();
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(mkdir((const char *const[]){ "lower", "upper", "work" }[i], 0755), 0);
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_int_equal(text_format(&options, "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", here,
                                     here, here),
                         0);
        assert_int_equal(mount("overlay", "lower", "overlay", 0, options), 0);
        assert_int_equal(chdir("lower"), 0);
        make_base();
        assert_int_equal(chown("base/kept", 12, 34), 0);

        Layer *layer = make("layer", "base", NULL);
        struct stat status;
        assert_false(layer->overlay);
        change(layer->path, "changed", "above");
        assert_text("base", "changed", "base");
        assert_int_equal(stat(layer->path, &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 01751);
        assert_int_equal(stat("layer/tree/kept", &status), 0);
        assert_int_equal(status.st_uid, 12);
        layer_free(layer);
        assert_int_equal(access("layer", F_OK), -1);

        assert_int_equal(layer_new(&(LayerOptions){ .below = below, .directory = "layer" }, &none, NULL),
                         -EXDEV);
        assert_int_equal(access("layer", F_OK), -1);
        assert_int_equal(chdir(".."), 0);
        assert_int_equal(umount2("lower", MNT_DETACH), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_changes_stay_above),
                unit_test_in_directory(test_changes_are_kept),
                unit_test_in_directory(test_copy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
