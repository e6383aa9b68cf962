/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/strv.h"
#include "foreign-program.h"
#include "image/gnupg.h"
#include "temporary-directory.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void enter_home(void) {
        _cleanup_(freep) char *here = getcwd(NULL, 0), *home = NULL;

        assert_int_equal(asprintf(&home, "%s/home", here) > 0, 1);
        assert_int_equal(mkdir("home", 0700), 0);
        assert_int_equal(setenv("GNUPGHOME", home, 1), 0);
}

static void leave_home(void) {
        (void)process_run(&(ProcessOptions){ .argv = WORDS("gpgconf", "--kill", "all"),
                                             .stdin_fd = -EBADF,
                                             .stdout_fd = -EBADF,
                                             .quiet = true });
        (void)unsetenv("GNUPGHOME");
}

static void make_key(void) {
        assert_int_equal(process_run(
                                 &(ProcessOptions){ .argv = WORDS("gpg", "--batch", "--quiet", "--passphrase",
                                                                  "", "--quick-gen-key", "tests@example.org",
                                                                  "ed25519", "sign", "never"),
                                                    .stdin_fd = -EBADF,
                                                    .stdout_fd = -EBADF,
                                                    .quiet = true }),
                         0);
}

static void assert_problem(const Config *config, const char *begin) {
        _cleanup_(strv_freep) char **problems = NULL;

        assert_int_equal(gnupg_check(config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), begin ? 1 : 0);
        if (begin)
                assert_int_equal(strncmp(problems[0], begin, strlen(begin)), 0);
}

static void test_signature(void **state) {
        _cleanup_(fd_closep) int from = open("sums", O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                                 to = open("sums.gpg", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        Config config = { .sign = true };

        enter_home();
        assert_problem(&(Config){ .sign = false }, NULL);
        assert_problem(&config, "Sign=yes: GnuPG has no secret key");
        make_key();
        assert_problem(&config, NULL);
        config.key = (char *)"nobody@example.org";
        assert_problem(&config, "Key=nobody@example.org: GnuPG has no such secret key");
        config.key = (char *)"--version"; /* no option */
        assert_problem(&config, "Key=--version: GnuPG has no such secret key");
        config.key = (char *)"tests@example.org";
        assert_problem(&config, NULL);

        assert_int_equal(fd_pwrite_all(from, "text\n", 5, 0), 0);
        assert_int_equal(gnupg_sign(&config, from, to), 0);
        assert_int_equal(process_run(&(ProcessOptions){
                                 .argv = WORDS("gpg", "--quiet", "--output", "ring", "--export"),
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF }),
                         0);
        free(FOREIGN_CHECK("gpgv", "--keyring", "./ring", "sums.gpg", "sums"));
        leave_home();
}

static void assert_verdict(GnupgAnswer answer, bool trusted) {
        _cleanup_(gnupg_verdict_done) GnupgVerdict verdict = {};

        assert_int_equal(gnupg_verify(&(Config){}, "sums.gpg", "sums", &verdict), 0);
        assert_int_equal(verdict.answer, answer);
        assert_int_equal(verdict.trusted, trusted);
        if (answer == GNUPG_GOOD || answer == GNUPG_BAD)
                assert_non_null(strstr(verdict.signer, "tests@example.org"));
}

static void gpg(const char *word, const char *argument) {
        assert_int_equal(process_run(&(ProcessOptions){
                                 .argv = WORDS("gpg", "--batch", "--quiet", "--yes", word, argument),
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF,
                                 .quiet = true }),
                         0);
}

static void test_verify(void **state) {
        enter_home();
        assert_int_equal(file_write_text(AT_FDCWD, "sums", "text\n", 0600), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "sums.gpg", "nonsense", 0600), 0);
        assert_verdict(GNUPG_UNREADABLE, false);
        make_key();
        _cleanup_(fd_closep) int from = open("sums", O_RDONLY | O_CLOEXEC),
                                 to = open("sums.gpg", O_RDWR | O_TRUNC | O_CLOEXEC);
        assert_int_equal(gnupg_sign(&(Config){}, from, to), 0);
        assert_verdict(GNUPG_GOOD, true);
        assert_int_equal(file_write_text(AT_FDCWD, "sums", "Text\n", 0600), 0);
        assert_verdict(GNUPG_BAD, false);

        /* Somebody else has the public key, or not even that. */
        assert_int_equal(file_write_text(AT_FDCWD, "sums", "text\n", 0600), 0);
        assert_int_equal(process_run(&(ProcessOptions){
                                 .argv = WORDS("gpg", "--quiet", "--output", "ring", "--export"),
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF }),
                         0);
        leave_home();
        assert_int_equal(rename("home", "first-home"), 0);
        enter_home();
        assert_verdict(GNUPG_KEY_MISSING, false);
        gpg("--import", "ring");
        assert_verdict(GNUPG_GOOD, false);
        leave_home();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_signature),
                unit_test_in_directory(test_verify),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
