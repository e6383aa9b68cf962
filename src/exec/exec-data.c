/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-data.h"
#include "unit/specifier.h"

#define DATA_SIZE_MAX (64 * MIB) /* as systemd */

/* clang-format off */
static const char letters[][2] = {
        { 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' }, { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }, { 'v', '\v' },
        { '\\', '\\' }, { '"', '"' }, { '\'', '\'' }, { 's', ' ' },
};
/* clang-format on */

/* So many digits; 0 for none, as a NUL is none. */
static unsigned read_digits(const char *text, unsigned n, unsigned base) {
        unsigned value = 0;

        for (unsigned i = 0; i < n; i++) {
                const char *const digits = "0123456789abcdef", c = (char)tolower((unsigned char)text[i]);
                const char *const digit = c ? strchr(digits, c) : NULL;

                if (!digit || digit - digits >= (int)base)
                        return 0;
                value = value * base + (unsigned)(digit - digits);
        }
        return value <= UINT8_MAX ? value : 0;
}

/* Behind the backslash; how many characters that was, or 0. */
static size_t read_escape(const char *text, char *ret) {
        unsigned value;

        for (size_t i = 0; i < ELEMENTSOF(letters); i++)
                if (text[0] == letters[i][0]) {
                        *ret = letters[i][1];
                        return 1;
                }
        if (text[0] == 'x') {
                value = read_digits(text + 1, 2, 16);
                *ret = (char)value;
                return value ? 3 : 0;
        }
        value = read_digits(text, 3, 8);
        *ret = (char)value;
        return value ? 3 : 0;
}

int exec_data_unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from;) {
                if (*from != '\\') {
                        *to++ = *from++;
                        continue;
                }
                const size_t n = read_escape(from + 1, to++);
                if (n == 0)
                        return -EINVAL;
                from += 1 + n;
        }
        *to = '\0';
        return (int)(to - text);
}

static int add_text(int fd, const ExecContext *context, const char *line, Reason *reason) {
        _cleanup_(freep) char *text = NULL, *expanded = NULL;

        int r = text_copy(line, &text);
        if (r < 0)
                return r;
        if (exec_data_unescape(text) < 0)
                return reason_set(reason, -EINVAL, "StandardInputText=%s: a backslash with no meaning", line);
        r = specifier_expand(text, context->unit, &expanded, reason);
        if (r >= 0)
                r = fd_write_all(fd, expanded, strlen(expanded));
        return r < 0 ? r : fd_write_all(fd, "\n", 1);
}

/* Blanks are fine. */
static int add_data(int fd, const char *line, Reason *reason) {
        _cleanup_(freep) char *text = strdup(line);
        _cleanup_(freep) uint8_t *bytes = NULL;
        size_t size;
        char *to = text;

        if (!text)
                return -ENOMEM;
        for (const char *from = text; *from; from++)
                if (!isspace((unsigned char)*from))
                        *to++ = *from;
        *to = '\0';
        const int r = base64_decode(text, &bytes, &size);
        if (r == -EBADMSG)
                return reason_set(reason, -EINVAL, "StandardInputData=%s: this is no Base64", line);
        return r < 0 ? r : fd_write_all(fd, bytes, size);
}

/* Opened anew, for reading alone: who has it cannot write to it. */
static int reopen(int fd) {
        char path[64];

        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        const int again = open(path, O_RDONLY | O_CLOEXEC);
        return again < 0 ? -errno : again;
}

int exec_data_open(const ExecContext *context, const UnitSettings *settings, Reason *reason) {
        _cleanup_(fd_closep) int fd = memfd_create("standard-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r = fd < 0 ? -errno : 0;

        for (char *const *line = settings->standard_input_text; r >= 0 && line && *line; line++)
                r = add_text(fd, context, *line, reason);
        for (char *const *line = settings->standard_input_data; r >= 0 && line && *line; line++)
                r = add_data(fd, *line, reason);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_CUR) > (off_t)DATA_SIZE_MAX)
                return reason_set(reason, -E2BIG,
                                  "StandardInputText= and StandardInputData= are more than 64M");
        return reopen(fd);
}
