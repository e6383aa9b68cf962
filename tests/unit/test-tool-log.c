/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/tool-log.h"

/* Output as the tools really write it. */
static const struct {
        const char *lines[6];
        int error;
        const char *text;
} cases[] = {
        { { "I: Retrieving InRelease ", "I: Retrieving Release ",
            "E: Failed getting release file http://deb.debian.org/debian/dists/nosuch/Release",
            "http://deb.debian.org/debian/dists/nosuch/InRelease:",
            "2026-11-23 20:00:00 ERROR 404: Not Found." },
          -ENOENT,
          "Failed to do it: the mirror has no such release, check Release= and Mirror= (Failed getting release file "
          "http://deb.debian.org/debian/dists/nosuch/Release)" },
        { { "E: Failed getting release file http://127.0.0.1:9/debian/dists/bookworm/Release",
            "Connecting to 127.0.0.1:9... failed: Connection refused." },
          -EHOSTUNREACH,
          "Failed to do it: the mirror cannot be reached, check Mirror= and the network (Connecting to 127.0.0.1:9... "
          "failed: Connection refused.)" },
        { { "No match for argument: nosuch", "Error: Unable to find a match: nosuch" },
          -ENOENT,
          "Failed to do it: the release has no such package, check Packages= and Repositories= (Unable to find a match: "
          "nosuch)" },
        { { "Package a-1-1.noarch.rpm is not signed", "Error: GPG check FAILED" },
          -EKEYREJECTED,
          "Failed to do it: a package is not signed, check Mirror= (Package a-1-1.noarch.rpm is not signed)" },
        { { "  - Curl error (7): Couldn't connect to server for http://127.0.0.1:9/repomd.xml",
            "Error: Failed to download metadata for repo 'fedora': Cannot download repomd.xml" },
          -EHOSTUNREACH,
          "Failed to do it: the mirror cannot be reached, check Mirror= and the network (- Curl error (7): Couldn't "
          "connect to server for http://127.0.0.1:9/repomd.xml)" },
        { { "E: Release signed by unknown key (key id 0123456789ABCDEF)" },
          -EKEYREJECTED,
          "Failed to do it: the archive is not signed by a key that is trusted, check Mirror= and update the key ring "
          "of the host (Release signed by unknown key (key id 0123456789ABCDEF))" },
        { { "E: Tried to extract package, but file already exists. Exit...",
            "tar: ./usr: No space left on device" },
          -ENOSPC,
          "Failed to do it: no space is left on the disk (tar: ./usr: No space left on device)" },
        /* gpgv's good news are not those of pacman's bad. */
        { { "gpgv: Good signature from \"Somebody <a@b>\"", "E: Couldn't find these debs: nosuch" },
          -ENOENT,
          "Failed to do it: the mirror lacks packages that every image needs, check Release=, Repositories= and Mirror= "
          "(Couldn't find these debs: nosuch)" },
        { { "Reading package lists...", "E: Unable to locate package nosuch" },
          -ENOENT,
          "Failed to do it: the release has no such package, check Packages= and Repositories= (Unable to locate package "
          "nosuch)" },
        { { "curl: (6) Could not resolve host: example", "dpkg: error processing package bad (--configure):",
            " installed bad package post-installation script subprocess returned error exit status 3" },
          -EIO,
          "Failed to do it: a package failed to install (dpkg: error processing package bad (--configure):)" },
        { { "New repository or package signing key received:", "File 'repomd.xml' …",
            "[oss|https://mirror/] Valid metadata not found at specified URL" },
          -EKEYREJECTED,
          "Failed to do it: the repository is not signed by a key that is trusted, check Mirror=, and RepositoryKeys= or "
          "the keys of the host (New repository or package signing key received:)" },
        { { "File 'repomd.xml' from repository 'oss' is unsigned, continue? [yes/no] (no): no",
            "[oss|https://mirror/] Valid metadata not found at specified URL" },
          -EKEYREJECTED,
          "Failed to do it: the repository is not signed, check Mirror= (File 'repomd.xml' from repository 'oss' is "
          "unsigned, continue? [yes/no] (no): no)" },
        { { "tea-1-1.noarch (oss): Signature verification failed [2-Signature does not verify]" },
          -EKEYREJECTED,
          "Failed to do it: a package's signature is bad, it was changed on the way or on the mirror (tea-1-1.noarch "
          "(oss): Signature verification failed [2-Signature does not verify])" },
        { { "[oss|http://127.0.0.1:9/] Valid metadata not found at specified URL",
            "Error message: Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server" },
          -EHOSTUNREACH,
          "Failed to do it: the mirror cannot be reached, check Mirror= and the network (Error message: Failed to connect "
          "to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server)" },
        { { "'nosuch' not found in package names. Trying capabilities.", "No provider of 'nosuch' found." },
          -ENOENT,
          "Failed to do it: the release has no such package, check Packages= and Repositories= (No provider of 'nosuch' "
          "found.)" },
        { { "error: failed retrieving file 'core.db' from 127.0.0.1:9 : Failed to connect to 127.0.0.1 port 9 after 0 ms: "
            "Couldn't connect to server",
            "error: failed to synchronize all databases (download library error)" },
          -EHOSTUNREACH,
          "Failed to do it: the mirror cannot be reached, check Mirror= and the network (failed retrieving file 'core.db' "
          "from 127.0.0.1:9 : Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server)" },
        { { "error: failed retrieving file 'nosuch.db' from mirror : The requested URL returned error: 404" },
          -ENOENT,
          "Failed to do it: the mirror has no such repository, check Repositories= and Mirror= (failed retrieving file "
          "'nosuch.db' from mirror : The requested URL returned error: 404)" },
        { { "error: target not found: nosuch" },
          -ENOENT,
          "Failed to do it: the release has no such package, check Packages= and Repositories= (target not found: nosuch)" },
        { { "error: base: signature from \"Somebody <a@b>\" is unknown trust",
            "error: failed to commit transaction (invalid or corrupted package (PGP signature))" },
          -EKEYREJECTED,
          "Failed to do it: the repository or a package is not signed by a key that is trusted, check Mirror=, and "
          "RepositoryKeys= or the keys of the host (base: signature from \"Somebody <a@b>\" is unknown trust)" },
        { { "error: base: signature from \"Somebody <a@b>\" is invalid",
            "error: failed to commit transaction (invalid or corrupted package (PGP signature))" },
          -EKEYREJECTED,
          "Failed to do it: a signature is bad: its key was revoked, or files were changed on the way or on the mirror (base: signature from "
          "\"Somebody <a@b>\" is invalid)" },
        { { ":: Import PGP key 6CA1FC6D86CE9C06? [Y/n] error: key \"6CA1FC6D86CE9C06\" could not be looked up remotely" },
          -EKEYREJECTED,
          "Failed to do it: the repository or a package is not signed by a key that is trusted, check Mirror=, and "
          "RepositoryKeys= or the keys of the host (key \"6CA1FC6D86CE9C06\" could not be looked up remotely)" },
        { { "error: base: missing required signature" },
          -EKEYREJECTED,
          "Failed to do it: a package is not signed, check Mirror= (base: missing required signature)" },
        { { "error: Partition /run/tree too full: 9 blocks needed, 1 blocks free",
            "error: failed to commit transaction (not enough free disk space)" },
          -ENOSPC,
          "Failed to do it: no space is left on the disk (failed to commit transaction (not enough free disk space))" },
        { { "nothing", "known" }, -EIO, "Failed to do it: the program ended with status 100" },
};

static void test_explain(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tool_log_done) ToolLog log = {};
                _cleanup_(freep) char *text = NULL;
                int error = 0;

                for (size_t j = 0; cases[i].lines[j]; j++)
                        assert_int_equal(tool_log_add(&log, cases[i].lines[j]), 0);
                assert_int_equal(tool_log_explain(&log, "do it", 100, &text, &error), 0);
                assert_string_equal(text, cases[i].text);
                assert_int_equal(error, cases[i].error);
        }
}

static void test_signal(void **state) {
        _cleanup_(tool_log_done) ToolLog log = {};
        _cleanup_(freep) char *text = NULL;
        int error = 0;

        assert_int_equal(tool_log_explain(&log, "do it", 128 + 9, &text, &error), 0);
        assert_string_equal(text, "Failed to do it: the program was killed by signal 9");
        assert_int_equal(error, -EIO);
}

static void test_table(void **state) {
        for (const ToolAnswer *answer = tool_answers; answer->sign; answer++) {
                assert_true(answer->sign[0] != '\0');
                assert_true(answer->error < 0);
                assert_false(text_is_empty(answer->meaning));
                assert_false(text_ends_with(answer->meaning, "."));
                /* A row behind one whose sign is part of its own would never be reached. */
                for (const ToolAnswer *before = tool_answers; before < answer; before++)
                        assert_null(strstr(answer->sign, before->sign));
        }
}

static void test_tail_is_a_ring(void **state) {
        _cleanup_(tool_log_done) ToolLog log = {};
        char line[16];

        for (unsigned i = 0; i < 2 * TOOL_LOG_TAIL + 3; i++) {
                (void)snprintf(line, sizeof(line), "line %u", i);
                assert_int_equal(tool_log_add(&log, line), 0);
        }
        assert_int_equal(log.n_lines, 2 * TOOL_LOG_TAIL + 3);
        assert_string_equal(log.tail[2], "line 32");
        assert_string_equal(log.tail[3], "line 18");
}

static void test_missing_suites(void **state) {
        _cleanup_(tool_log_done) ToolLog only = {}, unreachable = {}, none = {};

        assert_int_equal(tool_log_add(&only,
                                      "E: The repository 'http://m/debian bookworm-updates Release' does not "
                                      "have a Release file."),
                         0);
        assert_int_equal(strv_length(STRV(only.missing_suites)), 1);
        assert_string_equal(only.missing_suites[0], "bookworm-updates");
        assert_true(tool_log_only_missing_suites(&only));

        assert_int_equal(tool_log_add(&unreachable,
                                      "E: The repository 'http://m/debian bookworm Release' does not have "
                                      "a Release file."),
                         0);
        assert_int_equal(tool_log_add(&unreachable, "  Could not connect to m:80 (127.0.0.1)."), 0);
        assert_false(tool_log_only_missing_suites(&unreachable));
        assert_false(tool_log_only_missing_suites(&none));
}

static void test_grave(void **state) {
        _cleanup_(tool_log_done) ToolLog harmless = {}, grave = {};

        assert_int_equal(tool_log_add(&harmless, "E: Unable to locate package nosuch"), 0);
        assert_false(tool_log_is_grave(&harmless));
        assert_int_equal(tool_log_add(&grave,
                                      "W: Skipping acquire of configured file 'x/binary-amd64/Packages' as "
                                      "repository 'http://m/debian bookworm InRelease' doesn't have the "
                                      "component 'x' (component misspelt in sources.list?)"),
                         0);
        assert_true(tool_log_is_grave(&grave));
}

static void test_detail(void **state) {
        assert_string_equal(tool_log_detail("I: Retrieving libc6 2.36"), "Retrieving libc6 2.36");
        assert_string_equal(tool_log_detail("Setting up dash (0.5) ..."), "Setting up dash (0.5) ...");
        assert_null(tool_log_detail("Reading package lists..."));
        assert_null(tool_log_detail(""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_explain),        cmocka_unit_test(test_signal),
                cmocka_unit_test(test_table),          cmocka_unit_test(test_tail_is_a_ring),
                cmocka_unit_test(test_missing_suites), cmocka_unit_test(test_detail),
                cmocka_unit_test(test_grave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
