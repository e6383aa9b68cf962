/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "base/file-lock.h"
#include "capture.h"
#include "run/image-lock.h"

static LoadedConfig *asked;
static int answer;

static void ask(void) {
        _cleanup_(fd_closep) int fd = -EBADF;

        answer = image_lock(&asked->config, &fd);
        assert_int_equal(fd >= 0, answer >= 0);
}

static void assert_lock(const char *option, int expected, const char *expected_text) {
        _cleanup_(freep) char *said = NULL, *holder = NULL;

        asked = load_fine("-tdirectory", option);
        said = capture_stderr(ask);
        assert_int_equal(answer, expected);
        assert_int_equal(text_format(&holder, "%s%d", expected_text ? expected_text : "", (int)getpid()), 0);
        if (expected_text)
                assert_non_null(strstr(said, holder));
        else
                assert_string_equal(said, "");
        loaded_config_free(asked);
}

static void test_image_lock(void **state) {
        static const char shared[] = "--persistent=no", alone[] = "--persistent";
        pid_t holder;
        int fd;

        put_directory("image");
        assert_lock(shared, 0, NULL);
        assert_lock(alone, 0, NULL);

        assert_int_equal(file_lock_path("image", FILE_LOCK_SHARED, &fd, &holder), 1);
        assert_lock(shared, 0, NULL);
        assert_lock(alone, -EBUSY, "image is in use by process ");
        (void)close(fd);

        assert_int_equal(file_lock_path("image", FILE_LOCK_EXCLUSIVE, &fd, &holder), 1);
        assert_lock(shared, -EBUSY, "image is being changed or replaced by process ");
        assert_lock(alone, -EBUSY, "image is in use by process ");
        (void)close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_image_lock, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
