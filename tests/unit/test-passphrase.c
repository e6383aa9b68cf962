/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include <pty.h>
#include <sys/wait.h>

#include "base/terminal.h"
#include "capture.h"
#include "image/passphrase.h"

/* The only problem that there is, or "" for none. */
static char *problem_of(const Config *config) {
        _cleanup_(strv_freep) char **problems = NULL;
        char *text = NULL;

        assert_int_equal(passphrase_check(config, &problems), 0);
        assert_true(strv_length(STRV(problems)) <= 1);
        assert_int_equal(text_copy(problems ? problems[0] : "", &text), 0);
        return text;
}

static void test_files(void **state) {
        static const struct {
                const char *content;
                mode_t mode;
                const char *passphrase, *problem;
        } cases[] = {
                { "open sesame", 0600, "open sesame", "" },
                { "open sesame\n", 0400, "open sesame", "" },
                { " blanks \n", 0600, " blanks ", "" },
                { "sch\303\266n", 0600, "sch\303\266n", "" },
                { "x", 0640, NULL,
                  "mkosi.passphrase holds the passphrase, and has mode 0640: nobody but its owner may have access "
                  "to it; run: chmod 600 mkosi.passphrase" },
                { "x", 0604, NULL, "mode 0604" },
                { "x", 0602, NULL, "mode 0602" },
                { "x", 0700, "x", "" },
                { "", 0600, NULL, "The passphrase in mkosi.passphrase is empty" },
                { "\n", 0600, NULL, "is empty" },
                { "x\n\n", 0600, NULL, "is more than one line of text" },
                { "x\r\n", 0600, NULL, "has a carriage return in it: lines" },
                { "a\nb", 0600, NULL, "is more than one line of text" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(secret_freep) Secret *secret = NULL;

                put_file("mkosi.passphrase", cases[i].content, cases[i].mode);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--encrypt=all");
                _cleanup_(freep) char *problem = problem_of(&loaded->config);

                if (!strstr(problem, cases[i].problem) || !*problem != !*cases[i].problem)
                        fail_msg("\"%s\" is not \"%s\"", problem, cases[i].problem);
                if (!cases[i].passphrase)
                        continue;
                assert_int_equal(passphrase_get(&loaded->config, &secret), 0);
                assert_int_equal(secret->size, strlen(cases[i].passphrase));
                assert_memory_equal(secret->bytes, cases[i].passphrase, secret->size);
        }
}

/* 512 bytes are what can be typed; the line's end does not count. */
static void test_length(void **state) {
        for (size_t length = 510; length <= 515; length++) {
                char text[520] = "";

                memset(text, 'x', length);
                text[length] = '\n';
                put_file("mkosi.passphrase", text, 0600);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--encrypt=all");
                _cleanup_(freep) char *problem = problem_of(&loaded->config);
                assert_int_equal(strstr(problem, "is longer than 512 bytes") != NULL, length > 512);
        }
}

static void test_another_file(void **state) {
        _cleanup_(secret_freep) Secret *secret = NULL;

        put_file("mkosi.passphrase", "theirs", 0666);
        put_file("other", "ours", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("--encrypt=all", "--passphrase-file=other");
        _cleanup_(freep) char *problem = problem_of(&loaded->config);
        assert_string_equal(problem, "");
        assert_int_equal(passphrase_get(&loaded->config, &secret), 0);
        assert_memory_equal(secret->bytes, "ours", 4);
}

/* What encrypts nothing needs nothing. */
static void test_not_needed(void **state) {
        put_file("mkosi.passphrase", "theirs", 0666);
        _cleanup_(loaded_config_freep) LoadedConfig *off = load_fine("--encrypt=off"),
                                                    *nothing = load_fine("--encrypt=data");
        _cleanup_(freep) char *problem_off = problem_of(&off->config),
                              *problem_nothing = problem_of(&nothing->config);
        assert_string_equal(problem_off, "");
        assert_string_equal(problem_nothing, "");
}

static void test_no_terminal(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--encrypt=all");
        _cleanup_(fd_closep) int null = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = dup(STDIN_FILENO);

        assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
        _cleanup_(freep) char *problem = problem_of(&loaded->config);
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        assert_string_equal(problem,
                            "Encrypt=all needs a passphrase, and there is no terminal to ask for it: put it "
                            "into mkosi.passphrase, with mode 0600");
}

/* The child ends with 0 when it was told the passphrase. */
static int ask(const Config *config) {
        _cleanup_(strv_freep) char **problems = NULL;
        _cleanup_(secret_freep) Secret *secret = NULL;

        if (passphrase_check(config, &problems) < 0 || problems)
                return 3;
        if (passphrase_get(config, &secret) < 0)
                return 1;
        return secret->size == 6 && memcmp(secret->bytes, "sesame", 6) == 0 ? 0 : 2;
}

static void test_asking(void **state) {
        static const struct {
                const char *typed, *screen;
                int result;
        } cases[] = {
                { "sesame\nsesame\n", "The same passphrase again: ", 0 },
                { "sesame\nbarley\nsesame\nsesame\n", "These were two passphrases; try again", 0 },
                { "\nsesame\nsesame\n", "That passphrase is empty", 0 },
                { "\004", "No passphrase was given", 1 },
                { "barley\nbarley\n", "again: ", 2 },
        };
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--encrypt=all");

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char screen[4096] = "";
                size_t size = 0;
                int status, fd;

                const pid_t pid = forkpty(&fd, NULL, NULL, NULL);
                assert_true(pid >= 0);
                if (pid == 0)
                        _exit(ask(&loaded->config));
                while (!strstr(screen, "partitions: ")) {
                        const ssize_t n = read(fd, screen + size, sizeof(screen) - 1 - size);

                        assert_true(n > 0);
                        size += (size_t)n;
                }
                assert_int_equal(fd_write_all(fd, cases[i].typed, strlen(cases[i].typed)), 0);
                for (ssize_t n; (n = read(fd, screen + size, sizeof(screen) - 1 - size)) > 0;)
                        size += (size_t)n;
                assert_int_equal(waitpid(pid, &status, 0), pid);
                (void)fd_close(fd);
                if (!strstr(screen, cases[i].screen))
                        fail_msg("\"%s\" is not in:\n%s", cases[i].screen, screen);
                assert_null(strstr(screen, "sesame"));
                assert_int_equal(WEXITSTATUS(status), cases[i].result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_files),      TEST(test_length),      TEST(test_another_file),
                TEST(test_not_needed), TEST(test_no_terminal), TEST(test_asking),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
