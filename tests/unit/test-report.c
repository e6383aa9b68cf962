/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "capture.h"
#include "image/report.h"

static int json_fd = -EBADF;

static void print(void) {
        _cleanup_(progress_freep) Progress *progress = NULL;
        const Artefacts artefacts = {
                .items = { { .kind = ARTEFACT_IMAGE,
                             .output = (char *)"dir/image.raw",
                             .is_file = true,
                             .size = 5,
                             .hashed = true },
                           { .kind = ARTEFACT_CHECKSUMS,
                             .output = (char *)"SUMS\033[2J",
                             .is_file = true,
                             .size = 3 * MIB } },
                .n_items = 2,
        };

        assert_int_equal(progress_new(&(ProgressOptions){ .json_fd = json_fd }, &progress), 0);
        assert_int_equal(progress_begin(progress, "quick", "Being quick"), 0);
        progress_end(progress, true);
        report_print(&artefacts, progress);
}

static void test_table(void **state) {
        put_file("dir/image.raw", "12345", 0644);
        _cleanup_(fd_closep) int hole = open("SUMS\033[2J", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(fd_extend(hole, 3 * MIB), 0);
        _cleanup_(freep) char *text = capture_stderr(print);

        assert_string_equal(text, "‣ Being quick…\n✓ Being quick, 0.0s\n"
                                  "Time taken:\n"
                                  "  all steps        0.0s\n"
                                  "Result:\n"
                                  "  dir/image.raw  5B\n"
                                  "  SUMS?[2J       3.0M, of which 0B are on disk\n");
}

static void test_event(void **state) {
        _cleanup_(fd_closep) int fd = memfd_create("json", MFD_CLOEXEC);
        char text[4096] = {};

        json_fd = fd;
        free(capture_stderr(print));
        json_fd = -EBADF;
        assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
        assert_non_null(strstr(
                text, "{\"event\":\"result\",\"artefacts\":[{\"path\":\"dir/image.raw\",\"kind\":\"image\","
                      "\"size\":5,\"sha256\":\"0000"));
        assert_non_null(
                strstr(text, "{\"path\":\"SUMS\\u001b[2J\",\"kind\":\"checksums\",\"size\":3145728}]}\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_table),
                TEST(test_event),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
