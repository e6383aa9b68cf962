/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/binfmt.h"

#define REGISTERED     "/proc/sys/fs/binfmt_misc"
#define FILE_SIZE_MAX  (64 * 1024)
#define FILES_MAX      1024
#define HEADER_SIZE    20  /* of an ELF header, up to e_machine */
#define PATTERN_SIZE   128 /* the most that the kernel compares */
#define KEEPS_OPEN     'F'
#define TYPE_PROGRAM   2 /* ET_EXEC; the usual masks let ET_DYN, 3, pass as well */
#define TYPE_SHARED    3
#define FIELDS_OF_LINE 8

/* Of binfmt.d(5), the strongest first: a file hides those of the same name in the directories behind. */
static const char *const directories[] = { "/etc/binfmt.d", "/run/binfmt.d", "/usr/local/lib/binfmt.d",
                                           "/usr/lib/binfmt.d", NULL };

/* What programs are recognised by. */
typedef struct Pattern {
        uint8_t magic[PATTERN_SIZE], mask[PATTERN_SIZE];
        size_t size;
} Pattern;

static int hex_digit(char c) {
        return c >= '0' && c <= '9'                     ? c - '0'
               : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                        : -1;
}

/* One byte of two digits, -1 if it is none. */
static int hex_byte(const char *text) {
        const int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

        return low < 0 ? -1 : high << 4 | low;
}

/* "7f454c46", as the kernel prints it, or "\x7fELF" as it is registered. Returns the number of bytes, -1 for what is
 * neither. */
static ssize_t read_bytes(const char *text, bool escaped, uint8_t bytes[static PATTERN_SIZE]) {
        size_t n = 0;

        while (*text) {
                const bool is_hex = !escaped || (text[0] == '\\' && text[1] == 'x');
                const char *digits = escaped ? text + 2 : text;
                const int byte = is_hex ? hex_byte(digits) : (uint8_t)*text;

                if (n == PATTERN_SIZE || byte < 0)
                        return -1;
                bytes[n++] = (uint8_t)byte;
                text = is_hex ? digits + 2 : text + 1;
        }
        return (ssize_t)n;
}

static bool read_pattern(const char *magic, const char *mask, bool escaped, Pattern *ret) {
        Pattern pattern = {};

        const ssize_t n = read_bytes(magic, escaped, pattern.magic);
        if (n <= 0)
                return false;
        memset(pattern.mask, 0xff, sizeof(pattern.mask));
        if (!text_is_empty(mask) && read_bytes(mask, escaped, pattern.mask) != n)
                return false;
        pattern.size = (size_t)n;
        *ret = pattern;
        return true;
}

static bool matches_header(const Pattern *pattern, const BinfmtProgram *program, uint8_t type,
                           uint16_t machine) {
        const uint8_t header[HEADER_SIZE] = {
                0x7f,
                'E',
                'L',
                'F',
                program->bits == 64 ? 2 : 1,
                1,
                1,
                [16] = type,
                [18] = (uint8_t)machine,
                [19] = (uint8_t)(machine >> 8),
        };

        if (pattern->size > HEADER_SIZE)
                return false;
        for (size_t i = 0; i < pattern->size; i++)
                if ((header[i] ^ pattern->magic[i]) & pattern->mask[i])
                        return false;
        return true;
}

/* All programs of the machine, and none of another one. */
static bool pattern_matches(const Pattern *pattern, const BinfmtProgram *program) {
        return matches_header(pattern, program, TYPE_PROGRAM, program->machine) &&
               matches_header(pattern, program, TYPE_SHARED, program->machine) &&
               !matches_header(pattern, program, TYPE_PROGRAM, (uint16_t)~program->machine);
}

/* The rest of the line that begins with the words, NULL if there is none. */
static const char *find_line(char *const *lines, const char *words) {
        for (; lines && *lines; lines++)
                if (text_after_prefix(*lines, words))
                        return text_after_prefix(*lines, words);
        return NULL;
}

/* What the kernel says of one registration. */
static int look_at_registered(const char *path, const BinfmtProgram *program, bool *ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **lines = NULL;
        Pattern pattern;

        *ret = false;
        int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* it is gone meanwhile, or "register", which nobody reads */
        r = strv_split(text, "\n", &lines);
        if (r < 0)
                return r;

        const char *flags = find_line(lines, "flags: "), *offset = find_line(lines, "offset ");
        const char *magic = find_line(lines, "magic "), *mask = find_line(lines, "mask ");
        *ret = lines && text_equal(lines[0], "enabled") && flags && strchr(flags, KEEPS_OPEN) && offset &&
               text_equal(offset, "0") && magic && read_pattern(magic, mask, false, &pattern) &&
               pattern_matches(&pattern, program);
        return 0;
}

/* Cuts ":name:M:offset:magic:mask:interpreter:flags" into its fields, which may be empty. */
static bool cut_fields(char *line, char *fields[static FIELDS_OF_LINE]) {
        const char separator[] = { line[0], '\0' };
        size_t n = 0;

        for (char *at = line; at && n < FIELDS_OF_LINE; n++)
                fields[n] = strsep(&at, separator);
        return n == FIELDS_OF_LINE;
}

static int is_registration(const char *root, const char *line, const BinfmtProgram *program, bool *ret) {
        enum { NAME = 1, TYPE, OFFSET, MAGIC, MASK, INTERPRETER, FLAGS };
        _cleanup_(freep) char *copy = NULL, *interpreter = NULL;
        char *fields[FIELDS_OF_LINE] = {};
        Pattern pattern;

        *ret = false;
        int r = text_copy(line, &copy);
        if (r < 0 || !cut_fields(copy, fields))
                return r;
        if (!text_equal(fields[TYPE], "M") ||
            !(text_is_empty(fields[OFFSET]) || text_equal(fields[OFFSET], "0")) ||
            !strchr(fields[FLAGS], KEEPS_OPEN) ||
            !read_pattern(fields[MAGIC], fields[MASK], true, &pattern) || !pattern_matches(&pattern, program))
                return 0;
        r = path_join(root, fields[INTERPRETER], &interpreter);
        if (r >= 0)
                *ret = access(interpreter, X_OK) == 0;
        return r;
}

static int look_at_file(const char *root, const char *path, const BinfmtProgram *program, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **lines = NULL;

        int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* hidden by a link to /dev/null, or nothing for us to judge */
        r = strv_split(text, "\n", &lines);
        for (size_t i = 0; r >= 0 && lines && lines[i]; i++) {
                const char *line = text_strip(lines[i]);
                bool found = false;

                if (!strchr("#;", line[0]))
                        r = is_registration(root, line, program, &found);
                if (found)
                        return text_copy(line, ret);
        }
        return r;
}

/* The names in a directory, sorted. One that cannot be read holds none. */
static int list_names(const char *path, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        const struct dirent *entry;

        for (size_t n = 0; directory && n < FILES_MAX && (entry = readdir(directory)); n++) {
                const int r = entry->d_name[0] == '.' ? 0 : strv_append(&names, entry->d_name);

                if (r < 0)
                        return r;
        }
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

/* All that is registered can be switched off at once. */
static int is_switched_off(const char *directory, bool *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;

        int r = path_join(directory, "status", &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL);
        if (r == -ENOMEM)
                return r;
        *ret = r >= 0 && text_after_prefix(text, "disabled");
        return 0;
}

static int find_registered(const char *root, const BinfmtProgram *program, Binfmt *binfmt) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *directory = NULL;
        bool off = false;

        int r = path_join(root, REGISTERED, &directory);
        if (r >= 0)
                r = is_switched_off(directory, &off);
        if (r >= 0 && !off)
                r = list_names(directory, &names);
        for (char **name = names; r >= 0 && name && *name && binfmt->source == BINFMT_NONE; name++) {
                _cleanup_(freep) char *path = NULL;
                bool found = false;

                r = path_join(directory, *name, &path);
                if (r >= 0)
                        r = look_at_registered(path, program, &found);
                if (r >= 0 && found)
                        *binfmt = (Binfmt){ .source = BINFMT_KERNEL, .file = TAKE_PTR(path) };
        }
        return r;
}

/* The names of the files in one directory join those that are known. */
static int find_in_directory(const char *directory, const char *root, const BinfmtProgram *program,
                             char ***known, Binfmt *binfmt) {
        _cleanup_(strv_freep) char **names = NULL;

        int r = list_names(directory, &names);
        for (char **name = names; r >= 0 && name && *name && binfmt->source == BINFMT_NONE; name++) {
                _cleanup_(freep) char *path = NULL, *registration = NULL;

                if (!text_ends_with(*name, ".conf") || strv_contains(STRV(*known), *name))
                        continue;
                r = strv_append(known, *name);
                if (r >= 0)
                        r = path_join(directory, *name, &path);
                if (r >= 0)
                        r = look_at_file(root, path, program, &registration);
                if (r >= 0 && registration)
                        *binfmt = (Binfmt){
                                .source = BINFMT_FILE,
                                .file = TAKE_PTR(path),
                                .registration = TAKE_PTR(registration),
                        };
        }
        return r;
}

int binfmt_find(const char *root, const BinfmtProgram *program, Binfmt *ret) {
        _cleanup_(strv_freep) char **known = NULL;
        Binfmt binfmt = {};

        assert(root && program && ret);

        int r = find_registered(root, program, &binfmt);
        for (size_t i = 0; directories[i] && r >= 0 && binfmt.source == BINFMT_NONE; i++) {
                _cleanup_(freep) char *directory = NULL;

                r = path_join(root, directories[i], &directory);
                if (r >= 0)
                        r = find_in_directory(directory, root, program, &known, &binfmt);
        }
        if (r < 0)
                binfmt_done(&binfmt);
        else
                *ret = binfmt;
        return r;
}

void binfmt_done(Binfmt *binfmt) {
        free(binfmt->file);
        free(binfmt->registration);
        *binfmt = (Binfmt){};
}
