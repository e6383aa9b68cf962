/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "foreign-program.h"

#define VIEW(entries, check) in_view(entries, ELEMENTSOF(entries), check)

static void check_read_only(void) {
        INSIDE_CHECK(write_error("/mnt/a") == EROFS);
        INSIDE_CHECK(write_error("/mnt/a/deep/mounted") == EROFS);
        INSIDE_CHECK(open("/mnt/a/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
        INSIDE_CHECK(open("/mnt/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
        INSIDE_CHECK(file_has("/mnt/a/file", "text") && file_has("/mnt/file", "text"));
        INSIDE_CHECK(write_error("/mnt") == 0 && write_error("/mnt/b") == 0);
}

static void test_read_only(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/mnt/a" },
                { .type = VIEW_READ_ONLY, .path = "/mnt/file" },
                { .type = VIEW_READ_ONLY, .path = "/mnt/none", .optional = true },
        };

        world_only_as_root();
        make_directory("/mnt/b");
        make_mount("/mnt/a/deep/mounted", 0);
        make_file("/mnt/a/file", "text");
        make_file("/mnt/file", "text");
        VIEW(entries, check_read_only);
        /* Nothing has come back. */
        assert_int_equal(write_error("/mnt/a"), 0);
        assert_int_equal(write_error("/mnt/a/deep/mounted"), 0);
}

static void check_writable(void) {
        INSIDE_CHECK(write_error("/mnt") == EROFS && write_error("/usr") == EROFS);
        INSIDE_CHECK(write_error("/mnt/rw") == 0);
        INSIDE_CHECK(write_error("/mnt/rw/mounted") == 0);
        INSIDE_CHECK(write_error("/mnt/rw/host-read-only") == EROFS); /* stays as it was */
        INSIDE_CHECK(write_error("/mnt/rw/ro") == EROFS);
        INSIDE_CHECK(write_error("/mnt/rw/ro/mounted") == EROFS);
        INSIDE_CHECK(write_error("/mnt/rw/ro/rw") == 0);
        _cleanup_(fd_closep) int fd = open("/mnt/file", O_WRONLY | O_CLOEXEC);
        INSIDE_CHECK(fd >= 0 && write(fd, "new", 3) == 3);
}

static void test_writable(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/" },
                { .type = VIEW_WRITABLE, .path = "/mnt/file" },
                { .type = VIEW_WRITABLE, .path = "/mnt/none", .optional = true },
                { .type = VIEW_WRITABLE, .path = "/mnt/rw" },
                { .type = VIEW_READ_ONLY, .path = "/mnt/rw/ro" },
                { .type = VIEW_WRITABLE, .path = "/mnt/rw/ro/rw" },
        };

        world_only_as_root();
        make_file("/mnt/file", "old");
        make_mount("/mnt/rw/mounted", 0);
        make_mount("/mnt/rw/host-read-only", MS_RDONLY);
        make_mount("/mnt/rw/ro/mounted", 0);
        make_directory("/mnt/rw/ro/rw");
        VIEW(entries, check_writable);
        assert_true(file_has("/mnt/file", "new"));
}

static const struct {
        const char *path;
        mode_t type;
} kinds[] = {
        { "/mnt/directory", S_IFDIR }, { "/mnt/file", S_IFREG }, { "/mnt/fifo", S_IFIFO },
        { "/mnt/socket", S_IFSOCK },   { "/mnt/null", S_IFCHR }, { "/mnt/disk", S_IFBLK },
};

static void check_inaccessible(void) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                struct stat status;

                INSIDE_CHECK(lstat(kinds[i].path, &status) == 0 && status.st_mode == kinds[i].type);
                INSIDE_CHECK(status.st_size == 0 || S_ISDIR(status.st_mode));
        }
        INSIDE_CHECK(count_entries("/mnt/directory") == 0);
        INSIDE_CHECK(write_error("/mnt/directory") == EROFS);
        INSIDE_CHECK(file_has("/mnt/file", ""));
        INSIDE_CHECK(open("/mnt/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
        INSIDE_CHECK(open("/mnt/null", O_WRONLY | O_CLOEXEC) < 0);
        INSIDE_CHECK(access("/mnt/directory/secret", F_OK) < 0 && errno == ENOENT);

        INSIDE_CHECK(setresuid(65534, 65534, 65534) == 0);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].type != S_IFSOCK)
                        INSIDE_CHECK(open(kinds[i].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) < 0 &&
                                     errno == EACCES);
}

static void test_inaccessible(void **state) {
        ViewEntry entries[ELEMENTSOF(kinds) + 1];

        world_only_as_root();
        make_mount("/mnt/directory/mounted", 0);
        make_file("/mnt/directory/secret", "secret");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                entries[i] = (ViewEntry){ .type = VIEW_INACCESSIBLE, .path = kinds[i].path };
                if (!S_ISDIR(kinds[i].type))
                        assert_int_equal(mknod(kinds[i].path, kinds[i].type | 0666, makedev(1, 3)), 0);
        }
        /* What is below is not there any more, and asks for nothing. */
        entries[ELEMENTSOF(kinds)] = (ViewEntry){ .type = VIEW_WRITABLE, .path = "/mnt/directory/mounted" };
        make_file("/mnt/file", "secret");
        VIEW(entries, check_inaccessible);
}

static unsigned mounts_at(const char *path) {
        _cleanup_(freep) char *text = NULL, *line = NULL;
        unsigned n = 0;

        INSIDE_CHECK(file_read(AT_FDCWD, "/proc/self/mountinfo", MIB, &text, NULL) >= 0);
        INSIDE_CHECK(text_format(&line, " %s ", path) >= 0);
        for (const char *start = text; (start = strstr(start, line)); start += strlen(line))
                n++;
        return n;
}

/* What is needed on the way is not there any more; "/ /" is the root of a file system at the root of the tree. */
static void check_nothing_stays(void) {
        char here[64];

        INSIDE_CHECK(mounts_at("/ /") == 1);
        INSIDE_CHECK(getcwd(here, sizeof(here)) && text_equal(here, "/"));
        for (int fd = 3; fd < 100; fd++)
                INSIDE_CHECK(fcntl(fd, F_GETFD) < 0);
}

static void test_nothing_stays(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_DEVICES, .path = "/dev" },
                { .type = VIEW_INACCESSIBLE, .path = "/mnt/a" },
                { .type = VIEW_BIND, .path = "/mnt/b", .source = "/mnt/c", .from = 1, .to = 2 },
                { .type = VIEW_READ_ONLY, .path = "/mnt/c" },
                { .type = VIEW_TMPFS, .path = "/mnt/d" },
        };

        world_only_as_root();
        for (int fd = 3; fd < 100; fd++)
                (void)close(fd);
        make_directory("/mnt/a");
        make_directory("/mnt/b");
        make_directory("/mnt/c");
        make_directory("/mnt/d");
        assert_int_equal(chdir("/mnt/a"), 0);
        VIEW(entries, check_nothing_stays);
}

static void check_bind(void) {
        struct statvfs status;

        INSIDE_CHECK(file_has("/mnt/target/file", "source"));
        INSIDE_CHECK(write_error("/mnt/target") == 0 && write_error("/mnt/target/mounted") == 0);
        INSIDE_CHECK(file_has("/mnt/target/mounted/file", "mounted"));
        INSIDE_CHECK(access("/mnt/shallow/mounted/file", F_OK) < 0 && errno == ENOENT);
        INSIDE_CHECK(statvfs("/mnt/target", &status) == 0 && !(status.f_flag & ST_NOSUID));
        INSIDE_CHECK(statvfs("/mnt/shallow", &status) == 0 && (status.f_flag & ST_NOSUID));
        INSIDE_CHECK(write_error("/mnt/ro") == EROFS && write_error("/mnt/ro/mounted") == EROFS);
        INSIDE_CHECK(write_error("/mnt/ro/rw") == 0);
        INSIDE_CHECK(file_has("/mnt/file", "source"));
        INSIDE_CHECK(write_error("/mnt/source") == EROFS); /* the place is, what is bound elsewhere is not */
}

static void test_bind(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/mnt" },
                { .type = VIEW_BIND, .path = "/mnt/target", .source = "/mnt/source" },
                { .type = VIEW_BIND,
                  .path = "/mnt/shallow",
                  .source = "/mnt/source",
                  .shallow = true,
                  .no_setuid = true },
                { .type = VIEW_BIND_READ_ONLY, .path = "/mnt/ro", .source = "/mnt/source" },
                { .type = VIEW_WRITABLE, .path = "/mnt/ro/rw" },
                { .type = VIEW_BIND, .path = "/mnt/file", .source = "/mnt/source/file" },
                { .type = VIEW_BIND, .path = "/mnt/rest", .source = "/mnt/none", .optional = true },
                { .type = VIEW_BIND, .path = "/mnt/none", .source = "/mnt/source", .optional = true },
        };

        world_only_as_root();
        make_mount("/mnt/source/mounted", 0);
        make_directory("/mnt/source/rw");
        make_file("/mnt/source/file", "source");
        make_file("/mnt/source/mounted/file", "mounted");
        make_directory("/mnt/target");
        make_directory("/mnt/shallow");
        make_directory("/mnt/ro");
        make_directory("/mnt/rest");
        make_file("/mnt/file", "");
        VIEW(entries, check_bind);
}

/* What is bound is what the host sees in that place, whatever the view has there. */
static void check_sources(void) {
        INSIDE_CHECK(file_has("/mnt/a/name", "b") && file_has("/mnt/b/name", "a"));
        INSIDE_CHECK(write_error("/mnt/a") == 0);
}

static void test_sources(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/mnt" },
                { .type = VIEW_BIND, .path = "/mnt/a", .source = "/mnt/b" },
                { .type = VIEW_BIND, .path = "/mnt/b", .source = "/mnt/a" },
        };

        world_only_as_root();
        make_directory("/mnt/a");
        make_directory("/mnt/b");
        make_file("/mnt/a/name", "a");
        make_file("/mnt/b/name", "b");
        VIEW(entries, check_sources);
}

static void check_tmpfs(void) {
        struct statvfs status;

        INSIDE_CHECK(count_entries("/mnt/empty") == 2 && write_error("/mnt/empty") == 0);
        INSIDE_CHECK(write_error("/mnt/empty/made") == EROFS && write_error("/mnt/empty/made/deep") == 0);
        INSIDE_CHECK(file_has("/mnt/empty/made/deep/file", "source") &&
                     file_has("/mnt/empty/file", "source"));
        INSIDE_CHECK(statvfs("/mnt/empty", &status) == 0 && status.f_blocks * status.f_frsize == 65536);
        INSIDE_CHECK((status.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) == (ST_NOSUID | ST_NOEXEC));
        INSIDE_CHECK(write_error("/mnt/fixed") == EROFS && write_error("/mnt/fixed/made") == 0);
}

static void test_tmpfs(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_TMPFS,
                  .path = "/mnt/empty",
                  .options = "size=64k,nosuid,nodev,noexec,dev,mode=0755" },
                { .type = VIEW_BIND, .path = "/mnt/empty/made/deep", .source = "/mnt/source" },
                { .type = VIEW_BIND, .path = "/mnt/empty/file", .source = "/mnt/source/file" },
                { .type = VIEW_BIND, .path = "/mnt/empty/not", .source = "/mnt/none", .optional = true },
                { .type = VIEW_TMPFS, .path = "/mnt/fixed", .options = "ro" },
                { .type = VIEW_TMPFS, .path = "/mnt/fixed/made" },
                /* Below something that is there for this reason only. */
                { .type = VIEW_READ_ONLY, .path = "/mnt/empty/made", .optional = true },
        };

        world_only_as_root();
        make_directory("/mnt/empty/full");
        make_directory("/mnt/fixed");
        make_directory("/mnt/source");
        make_file("/mnt/source/file", "source");
        VIEW(entries, check_tmpfs);
}

static void check_boundary(void) {
        struct stat status;

        INSIDE_CHECK(count_entries("/mnt/private") == 2);
        INSIDE_CHECK(stat("/mnt/private", &status) == 0 && status.st_mode == (S_IFDIR | 0755));
        INSIDE_CHECK(write_error("/mnt/private") == EROFS && mkdir("/mnt/private/x", 0755) < 0 &&
                     errno == EROFS);
        INSIDE_CHECK(write_error("/mnt/private/own") == 0 && file_has("/mnt/own/name", "own"));
        INSIDE_CHECK(write_error("/mnt/private/nested") == EROFS &&
                     write_error("/mnt/private/nested/own") == 0);
        INSIDE_CHECK(access("/mnt/private/other", F_OK) < 0 && errno == ENOENT);
}

static void test_boundary(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/" },
                { .type = VIEW_BOUNDARY, .path = "/mnt/private" },
                { .type = VIEW_BIND,
                  .path = "/mnt/private/own",
                  .source = "/mnt/private/own",
                  .trusted = "/mnt/private" },
                /* The same, by the link that leads there. */
                { .type = VIEW_BIND, .path = "/mnt/own", .source = "/mnt/private/own", .optional = true },
                { .type = VIEW_BIND, .path = "/mnt/private/nested/own", .source = "/mnt/private/nested/own" },
        };

        world_only_as_root();
        make_directory("/mnt/private/own");
        make_directory("/mnt/private/other");
        make_directory("/mnt/private/nested/own");
        make_directory("/mnt/private/nested/other");
        make_file("/mnt/private/own/name", "own");
        assert_int_equal(chmod("/mnt/private", 0700), 0);
        assert_int_equal(symlink("private/own", "/mnt/own"), 0);
        VIEW(entries, check_boundary);
}

static void check_links(void) {
        INSIDE_CHECK(write_error("/mnt/real") == EROFS && write_error("/mnt/link") == EROFS);
        INSIDE_CHECK(write_error("/mnt/real/rw") == 0 && write_error("/mnt/link/rw") == 0);
        INSIDE_CHECK(write_error("/mnt/other") == 0);
        INSIDE_CHECK(count_entries("/mnt/hidden") == 0 && count_entries("/mnt/far/../hidden") == 0);
        INSIDE_CHECK(file_has("/mnt/var/run/made/file", "source") &&
                     file_has("/mnt/run/made/file", "source"));
}

static void test_links(void **state) {
        static const ViewEntry entries[] = {
                /* The order of the names is not that of the places. */
                { .type = VIEW_READ_ONLY, .path = "/mnt/zlink" },
                { .type = VIEW_WRITABLE, .path = "/mnt/link/rw" },
                { .type = VIEW_INACCESSIBLE, .path = "/mnt/far" },
                { .type = VIEW_TMPFS, .path = "/mnt/run" },
                { .type = VIEW_BIND, .path = "/mnt/var/run/made", .source = "/mnt/source-link" },
        };

        world_only_as_root();
        make_directory("/mnt/real/rw");
        make_directory("/mnt/other");
        make_directory("/mnt/run");
        make_directory("/mnt/var");
        make_directory("/mnt/source");
        make_file("/mnt/source/file", "source");
        make_directory("/mnt/hidden/content");
        assert_int_equal(symlink("real", "/mnt/link"), 0);
        assert_int_equal(symlink("/mnt/./link/../link", "/mnt/zlink"), 0);
        assert_int_equal(symlink("../../../../../../mnt/hidden", "/mnt/far"), 0); /* never above the root */
        assert_int_equal(symlink("../run", "/mnt/var/run"), 0);
        assert_int_equal(symlink("source", "/mnt/source-link"), 0);
        VIEW(entries, check_links);
}

static void check_owners(void) {
        struct stat status;

        INSIDE_CHECK(stat("/mnt/b/file", &status) == 0 && status.st_uid == 64000 && status.st_gid == 64000);
        INSIDE_CHECK(stat("/mnt/b/others", &status) == 0 && status.st_uid == 65534);
        INSIDE_CHECK(setresgid(64000, 64000, 64000) == 0 && setresuid(64000, 64000, 64000) == 0);
        INSIDE_CHECK(write_error("/mnt/b") == 0);
        INSIDE_CHECK(file_write_text(AT_FDCWD, "/mnt/b/new", "new", 0600) == 0);
        INSIDE_CHECK(stat("/mnt/b/new", &status) == 0 && status.st_uid == 64000);
        INSIDE_CHECK(open("/mnt/b/others", O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
}

static void test_owners(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_BIND, .path = "/mnt/b", .source = "/mnt/a", .from = 63000, .to = 64000 },
        };
        struct stat status;

        world_only_as_root();
        make_directory("/mnt/a");
        make_directory("/mnt/b");
        make_file("/mnt/a/file", "");
        make_file("/mnt/a/others", "");
        assert_int_equal(chown("/mnt/a", 63000, 63000), 0);
        assert_int_equal(chown("/mnt/a/file", 63000, 63000), 0);
        VIEW(entries, check_owners);
        assert_int_equal(stat("/mnt/a/new", &status), 0);
        assert_int_equal(status.st_uid, 63000);
        assert_int_equal(status.st_gid, 63000);
}

/* What findmnt(8) says of a mount point. */
static bool foreign_says(const char *path, const char *column, const char *text) {
        _cleanup_(freep) char *output = NULL;

        return foreign_run((const char *const[]){ "findmnt", "-n", "-o", column, "--mountpoint", path, NULL },
                           &output) == 0 &&
               strstr(output, text);
}

static void check_foreign(void) {
        INSIDE_CHECK(foreign_says("/", "VFS-OPTIONS", "ro"));
        INSIDE_CHECK(foreign_says("/mnt/rw", "VFS-OPTIONS", "rw"));
        INSIDE_CHECK(foreign_says("/mnt/rw", "PROPAGATION", "private,slave"));
        INSIDE_CHECK(foreign_says("/mnt/bound", "VFS-OPTIONS", "rw,nosuid"));
        INSIDE_CHECK(foreign_says("/mnt/bound", "FSROOT", "/rw"));
        INSIDE_CHECK(foreign_says("/mnt/hidden", "VFS-OPTIONS", "ro,nosuid,nodev,noexec"));
        INSIDE_CHECK(foreign_says("/mnt/empty", "FS-OPTIONS", "size=64k"));
        INSIDE_CHECK(foreign_says("/proc", "VFS-OPTIONS", "rw"));
}

static void test_foreign(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/" },
                { .type = VIEW_WRITABLE, .path = "/mnt/rw" },
                { .type = VIEW_WRITABLE, .path = "/proc" },
                { .type = VIEW_BIND, .path = "/mnt/bound", .source = "/mnt/rw", .no_setuid = true },
                { .type = VIEW_INACCESSIBLE, .path = "/mnt/hidden" },
                { .type = VIEW_TMPFS, .path = "/mnt/empty", .options = "size=64k" },
        };

        world_only_as_root();
        make_directory("/mnt/rw");
        make_directory("/mnt/bound");
        make_directory("/mnt/hidden");
        make_directory("/mnt/empty");
        VIEW(entries, check_foreign);
}

static int to_child[2], to_parent[2];

static void check_later(void) {
        char byte = 'x';

        INSIDE_CHECK(mount("inside", "/mnt/inside", "tmpfs", 0, NULL) == 0);
        INSIDE_CHECK(write(to_parent[1], &byte, 1) == 1);
        INSIDE_CHECK(read(to_child[0], &byte, 1) == 1);
        INSIDE_CHECK(file_has("/mnt/a/later/file", "later"));     /* below what is read-only */
        INSIDE_CHECK(file_has("/mnt/rw/later/file", "later"));    /* below what is cloned */
        INSIDE_CHECK(file_has("/mnt/bound/later/file", "later")); /* below what is bound */
}

/* Mounts of the host arrive, those of the view go nowhere. */
static void test_later(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/mnt" },
                { .type = VIEW_WRITABLE, .path = "/mnt/rw" },
                { .type = VIEW_BIND, .path = "/mnt/bound", .source = "/mnt/rw" },
        };
        char byte = 'x';

        world_only_as_root();
        make_directory("/mnt/a/later");
        make_directory("/mnt/inside");
        make_directory("/mnt/rw/later");
        make_directory("/mnt/bound");
        assert_int_equal(pipe2(to_child, O_CLOEXEC), 0);
        assert_int_equal(pipe2(to_parent, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)close(to_child[1]);
                INSIDE_CHECK(view_enter(entries, ELEMENTSOF(entries), VIEW_SLAVE, NULL) == 0);
                check_later();
                _exit(EXIT_SUCCESS);
        }
        (void)close(to_parent[1]);
        assert_int_equal(read(to_parent[0], &byte, 1), 1);
        assert_int_equal(mounts_at("/mnt/inside"), 0);
        make_mount("/mnt/a/later", 0);
        make_mount("/mnt/rw/later", 0);
        make_file("/mnt/a/later/file", "later");
        make_file("/mnt/rw/later/file", "later");
        assert_int_equal(write(to_child[1], &byte, 1), 1);
        child_wait(pid);
        (void)close(to_child[0]);
        (void)close(to_child[1]);
        (void)close(to_parent[0]);
}

/* All or nothing, and every reason names what was to be done. */
static void test_failures(void **state) {
        static const struct {
                ViewEntry entry;
                int error;
                const char *text;
        } rows[] = {
                { { .type = VIEW_READ_ONLY, .path = "/mnt/none" },
                  -ENOENT,
                  "read-only /mnt/none: /mnt/none is not there; with a dash in front it may be missing" },
                { { .type = VIEW_INACCESSIBLE, .path = "/mnt/a/none" },
                  -ENOENT,
                  "inaccessible /mnt/a/none: /mnt/a/none is not there; with a dash in front it may be missing" },
                { { .type = VIEW_BIND, .path = "/mnt/none", .source = "/mnt/a" },
                  -ENOENT,
                  "bind /mnt/a on /mnt/none: /mnt/none is not there, and making it would change what others see: "
                  "make it first" },
                { { .type = VIEW_BIND, .path = "/mnt/a", .source = "/mnt/none" },
                  -ENOENT,
                  "bind /mnt/none on /mnt/a: No such file or directory" },
                { { .type = VIEW_BIND, .path = "/mnt/a", .source = "/mnt/file" },
                  -ENOTDIR,
                  "bind /mnt/file on /mnt/a: Not a directory" },
                { { .type = VIEW_BIND, .path = "/mnt/a", .source = "/mnt/link", .trusted = "/mnt" },
                  -ELOOP,
                  "bind /mnt/link on /mnt/a (trusted /mnt): Too many levels of symbolic links" },
                { { .type = VIEW_BIND, .path = "/mnt/a", .source = "/proc/self", .from = 1, .to = 2 },
                  -EINVAL,
                  "bind /proc/self on /mnt/a (owner 1 as 2): Invalid argument" },
                { { .type = VIEW_READ_ONLY, .path = "/mnt/loop/x" },
                  -ELOOP,
                  "read-only /mnt/loop/x: Too many levels of symbolic links" },
                { { .type = VIEW_READ_ONLY, .path = "/mnt/file/x" },
                  -ENOTDIR,
                  "read-only /mnt/file/x: Not a directory" },
                { { .type = VIEW_TMPFS, .path = "/mnt/a", .options = "mode=0755,colour=red" },
                  -EINVAL,
                  "option \"colour=red\" of a tmpfs: tmpfs: Unknown parameter 'colour'" },
                { { .type = VIEW_TMPFS, .path = "/mnt/file" }, -ENOTDIR, "tmpfs /mnt/file: Not a directory" },
                { { .type = VIEW_TMPFS, .path = "/" },
                  -EINVAL,
                  "tmpfs /: the root of the view is that of the host" },
        };

        world_only_as_root();
        make_directory("/mnt/a");
        make_file("/mnt/file", "");
        assert_int_equal(symlink("a", "/mnt/link"), 0);
        assert_int_equal(symlink("loop", "/mnt/loop"), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                no_view(&rows[i].entry, 1, rows[i].error, rows[i].text);
        assert_int_equal(access("/mnt/none", F_OK), -1);
}

/* What is bound is others' as well: nothing is made in it, and links in it are not followed. */
static void test_failures_in_binds(void **state) {
        static const ViewEntry missing[] = {
                { .type = VIEW_BIND, .path = "/mnt/b", .source = "/mnt/source" },
                { .type = VIEW_TMPFS, .path = "/mnt/b/none" },
        };
        static const ViewEntry link[] = {
                { .type = VIEW_BIND, .path = "/mnt/b", .source = "/mnt/source" },
                { .type = VIEW_TMPFS, .path = "/mnt/b/link" },
        };

        world_only_as_root();
        make_directory("/mnt/b");
        make_directory("/mnt/source");
        assert_int_equal(symlink("/etc", "/mnt/source/link"), 0);
        no_view(missing, ELEMENTSOF(missing), -ENOENT,
                "tmpfs /mnt/b/none: /mnt/b/none is not there, and making it would change what others see: make it "
                "first");
        no_view(link, ELEMENTSOF(link), -ELOOP, "tmpfs /mnt/b/link: Too many levels of symbolic links");
}

/* Who may not do it is told, and nothing is passed over. */
static void test_without_privilege(void **state) {
        static const ViewEntry entry = { .type = VIEW_READ_ONLY, .path = "/" };

        world_only_as_root();
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Reason reason = {};

                INSIDE_CHECK(setresuid(65534, 65534, 65534) == 0);
                INSIDE_CHECK(view_enter(&entry, 1, VIEW_SLAVE, &reason) == -EPERM);
                INSIDE_CHECK(text_equal(reason.text, "a mount namespace: Operation not permitted"));
                _exit(EXIT_SUCCESS);
        }
        child_wait(pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_read_only),
                world_test(test_writable),
                world_test(test_inaccessible),
                world_test(test_nothing_stays),
                world_test(test_bind),
                world_test(test_sources),
                world_test(test_tmpfs),
                world_test(test_boundary),
                world_test(test_links),
                world_test(test_owners),
                world_test(test_later),
                world_test(test_failures),
                world_test(test_failures_in_binds),
                world_test(test_without_privilege),
                world_test(test_foreign),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
