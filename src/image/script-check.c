/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/script-check.h"

#define HEAD_SIZE       256 /* that much of the first line is what the kernel reads */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define EMULATORS       "/proc/sys/fs/binfmt_misc"
#define EMULATOR_MAX    4096
#define EMULATOR_OF_ELF "magic 7f454c46"

/* The programs that a processor runs, its own first. */
static const struct {
        unsigned architecture, machine;
        const char *title;
} machines[] = {
        { ARCHITECTURE_X86_64, EM_X86_64, "x86-64" },  { ARCHITECTURE_X86_64, EM_386, "x86" },
        { ARCHITECTURE_X86, EM_386, "x86" },           { ARCHITECTURE_ARM64, EM_AARCH64, "arm64" },
        { ARCHITECTURE_ARM64, EM_ARM, "arm" },         { ARCHITECTURE_ARM, EM_ARM, "arm" },
        { ARCHITECTURE_RISCV64, EM_RISCV, "riscv64" },
};

void script_head_done(ScriptHead *head) {
        free(head->interpreter);
        free(head->sought);
        *head = (ScriptHead){};
}

/* "#!/usr/bin/env python3", "#!/usr/bin/env -S python3 -u". What else env may be told is left to it. */
static int parse_sought(const char *line, const char *interpreter, char **ret) {
        _cleanup_(strv_freep) char **words = NULL;

        if (!interpreter || !text_equal(path_base_name(interpreter), "env"))
                return 0;
        const int r = strv_split(line, " \t\r", &words);
        if (r < 0)
                return r;
        /* The first word is "#!" and the interpreter, or these are two. */
        char **word = words + (text_equal(words[0], "#!") ? 2 : 1);
        word += *word && text_equal(*word, "-S");
        return !*word || (*word)[0] == '-' || strchr(*word, '=') ? 0 : text_copy(*word, ret);
}

static unsigned read_machine(const unsigned char *data) {
        const size_t at = offsetof(Elf32_Ehdr, e_machine); /* the same of 64 bits */
        const bool big = data[EI_DATA] == ELFDATA2MSB;

        return big ? data[at] << 8 | data[at + 1] : data[at + 1] << 8 | data[at];
}

int script_head_parse(const char *data, size_t size, ScriptHead *ret) {
        const size_t mark_size = strlen(BYTE_ORDER_MARK);
        _cleanup_(script_head_done) ScriptHead head = {};
        _cleanup_(freep) char *line = NULL;

        head.marked = size >= mark_size && memcmp(data, BYTE_ORDER_MARK, mark_size) == 0;
        head.program = size >= offsetof(Elf32_Ehdr, e_version) && memcmp(data, ELFMAG, SELFMAG) == 0;
        if (head.program)
                head.program_machine = read_machine((const unsigned char *)data);
        else if (size >= 2 && data[0] == '#' && data[1] == '!') {
                const char *end = memchr(data, '\n', size);
                const size_t length = end ? (size_t)(end - data) : size;

                int r = text_format(&line, "%.*s", (int)length, data);
                if (r < 0)
                        return r;
                head.carriage_return = text_ends_with(line, "\r");
                const char *name = line + 2 + strspn(line + 2, " \t");
                const size_t name_length = strcspn(name, " \t\r");
                r = name_length > 0 ? text_format(&head.interpreter, "%.*s", (int)name_length, name) : 0;
                if (r >= 0)
                        r = parse_sought(line, head.interpreter, &head.sought);
                if (r < 0)
                        return r;
        }
        *ret = head;
        head = (ScriptHead){};
        return 0;
}

static int read_head(const char *path, ScriptHead *ret) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        char data[HEAD_SIZE];
        ssize_t size;

        if (fd < 0)
                return -errno;
        size = pread(fd, data, sizeof(data), 0);
        return size < 0 ? -errno : script_head_parse(data, (size_t)size, ret);
}

static const char *script_path(const LoadedConfig *loaded, ScriptKind kind) {
        return *(char *const *)setting_member(loaded->store, config_setting(script_types[kind].setting));
}

/* "mkosi.default:7: The build script build.sh" */
static int say_script(const LoadedConfig *loaded, ScriptKind kind, char **ret) {
        _cleanup_(freep) char *where = NULL, *path = NULL;

        int r = config_where(loaded, script_types[kind].setting, 0, &where);
        if (r >= 0)
                r = config_path_say(script_path(loaded, kind), &path);
        return r < 0 ? r : text_format(ret, "%s: The %s %s", where, script_types[kind].title, path);
}

static int add_problem(const LoadedConfig *loaded, ScriptKind kind, char ***problems, const char *what) {
        _cleanup_(freep) char *said = NULL;

        const int r = say_script(loaded, kind, &said);
        return r < 0 ? r : strv_append_format(problems, "%s %s", said, what);
}

/* With a command that mends the file at its end. */
static int add_curable(const LoadedConfig *loaded, ScriptKind kind, char ***problems, const char *what,
                       const char *cure) {
        _cleanup_(freep) char *path = NULL, *quoted = NULL, *text = NULL;

        int r = config_path_say(script_path(loaded, kind), &path);
        if (r >= 0)
                r = text_quote(path, &quoted);
        if (r >= 0)
                r = text_format(&text, "%s; run: %s %s", what, cure, quoted);
        return r < 0 ? r : add_problem(loaded, kind, problems, text);
}

/* Whether the kernel has somebody run programs of other machines; of which, it would have to be tried out. */
static bool has_emulators(void) {
        _cleanup_(directory_closep) DIR *directory = opendir(EMULATORS);
        const struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                _cleanup_(freep) char *text = NULL;

                if (file_read(dirfd(directory), entry->d_name, EMULATOR_MAX, &text, NULL) >= 0 &&
                    strstr(text, EMULATOR_OF_ELF))
                        return true;
        }
        return false;
}

static int check_program(const LoadedConfig *loaded, ScriptKind kind, unsigned machine, char ***problems) {
        const char *title = "another machine";
        _cleanup_(freep) char *text = NULL;

        if (loaded->host_architecture >= ARCHITECTURE_MAX)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(machines); i++) {
                if (machines[i].machine != machine)
                        continue;
                /* The image's own programs are run here, or nothing would be built: foreign_check(). */
                const bool own = i == 0 || machines[i - 1].architecture != machines[i].architecture;
                if (machines[i].architecture == loaded->host_architecture ||
                    (own && machines[i].architecture == loaded->config.architecture))
                        return 0;
                title = machines[i].title;
        }
        if (has_emulators())
                return 0;
        const int r =
                text_format(&text, "is a program for %s, which this machine does not run: compile it for %s",
                            title, architecture_words[loaded->host_architecture]);
        return r < 0 ? r : add_problem(loaded, kind, problems, text);
}

/* What is run on the host needs its interpreter there. */
static int check_host(const LoadedConfig *loaded, ScriptKind kind, const char *interpreter,
                      char ***problems) {
        _cleanup_(freep) char *text = NULL;

        if (!script_types[kind].on_host || access(interpreter, X_OK) == 0)
                return 0;
        const int r =
                text_format(&text,
                            "is to be run by %s, which this host does not have: install it, or change the "
                            "first line of the script",
                            interpreter);
        return r < 0 ? r : add_problem(loaded, kind, problems, text);
}

static int check_script(const LoadedConfig *loaded, ScriptKind kind, char ***problems) {
        _cleanup_(script_head_done) ScriptHead head = {};
        const char *path = script_path(loaded, kind);
        struct statvfs status;

        int r = path ? read_head(path, &head) : 0;
        if (!path || r == -ENOMEM)
                return r;
        if (r < 0) {
                _cleanup_(freep) char *text = NULL;

                r = text_format(&text, "cannot be read: %s", strerror(-r));
                return r < 0 ? r : add_problem(loaded, kind, problems, text);
        }
        if (statvfs(path, &status) == 0 && (status.f_flag & ST_NOEXEC))
                return add_problem(loaded, kind, problems,
                                   "lies on a file system that is mounted with noexec, from which nothing is "
                                   "run: move it, or mount that with exec");
        if (head.program)
                return check_program(loaded, kind, head.program_machine, problems);
        if (head.marked)
                return add_curable(loaded, kind, problems,
                                   "begins with a byte order mark, which hides its first line",
                                   "sed -i '1s/^\\xEF\\xBB\\xBF//'");
        if (!head.interpreter)
                return add_problem(
                        loaded, kind, problems,
                        "does not say what it is run by: let its first line be #!/bin/sh, or the like");
        if (head.carriage_return)
                return add_curable(loaded, kind, problems,
                                   "has the line ends of DOS, which become part of its interpreter's name",
                                   "sed -i 's/\\r$//'");
        return check_host(loaded, kind, head.interpreter, problems);
}

int scripts_check(const LoadedConfig *loaded, char ***problems) {
        int r = 0;

        for (ScriptKind kind = 0; kind < SCRIPT_MAX && r >= 0; kind++)
                r = check_script(loaded, kind, problems);
        return r;
}

/* What the kernel would say of a missing interpreter is that the script is missing. */
static int check_interpreter(int root_fd, const char *interpreter) {
        _cleanup_(fd_closep) int fd = path_open_below(root_fd, interpreter, O_PATH, 0);
        struct stat status;

        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0)
                return -errno;
        return S_ISREG(status.st_mode) && (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) ? 0 : -ENOEXEC;
}

/* Where scripts find programs, if nobody says anything else. */
static int check_sought(const Config *config, int root_fd, const char *sought) {
        static const char *const directories[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                                   "/usr/bin",        "/sbin",          "/bin" };

        if (!sought || strchr(sought, '/'))
                return 0;
        for (char **variable = config->environment; variable && *variable; variable++)
                if (text_equal(*variable, "PATH") || text_after_prefix(*variable, "PATH="))
                        return 0;
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *path = NULL;

                int r = path_join(directories[i], sought, &path);
                if (r >= 0)
                        r = check_interpreter(root_fd, path);
                if (r >= 0 || r == -ENOMEM)
                        return r;
        }
        return -ENOENT;
}

int script_check_tree(const LoadedConfig *loaded, ScriptKind kind, const char *root, const char *setting) {
        _cleanup_(script_head_done) ScriptHead head = {};
        _cleanup_(freep) char *said = NULL;
        _cleanup_(fd_closep) int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (root_fd < 0)
                return log_error(-errno, "Cannot open the tree %s: %m", root);
        int r = say_script(loaded, kind, &said);
        if (r < 0)
                return r;
        r = read_head(script_path(loaded, kind), &head);
        if (r < 0)
                return log_error(r, "%s cannot be read: %m", said);
        if (!head.interpreter)
                return 0;
        const char *missing = head.interpreter;
        r = check_interpreter(root_fd, head.interpreter);
        if (r >= 0) {
                missing = head.sought;
                r = check_sought(&loaded->config, root_fd, head.sought);
        }
        if (r == -ENOENT || r == -ENOTDIR)
                return log_error(
                        -ENOENT,
                        "%s is to be run by %s, which the tree does not have: add the package that has it "
                        "to %s=, or change the first line of the script",
                        said, missing, setting);
        if (r == -ENOEXEC)
                return log_error(
                        r,
                        "%s is to be run by %s, which is no program in the tree: change the first line of "
                        "the script",
                        said, head.interpreter);
        return r < 0 ? log_error(r, "%s is to be run by %s: %m", said, head.interpreter) : 0;
}

bool script_is_of_plain_shell(const LoadedConfig *loaded, ScriptKind kind) {
        _cleanup_(script_head_done) ScriptHead head = {};

        if (read_head(script_path(loaded, kind), &head) < 0 || !head.interpreter)
                return false;
        return text_equal(path_base_name(head.interpreter), "sh") ||
               text_equal(path_base_name(head.interpreter), "dash");
}
