/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/passphrase-file.h"

/* A line's end, which does not count, and one byte more, by which a file that is too long is known. */
#define FILE_SIZE_MAX (PASSPHRASE_SIZE_MAX + 2)

/* What nobody but the owner may have; that the owner could run the file does no harm. */
#define FOREIGN_MODE (S_IRWXG | S_IRWXO)

/* What editors of other systems put in front of text, in UTF-8. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Why nobody can type such a byte. */
static const char *byte_fault(uint8_t byte) {
        switch (byte) {
        case '\0':
                return "has a NUL byte in it, and is no text";
        case '\r':
                return "has a carriage return in it: lines have to end as on Unix, without one";
        case '\n':
                return "is more than one line of text, which nobody can type";
        case '\t':
                return "has a tab in it, which nobody can type where it is asked for";
        default:
                return iscntrl(byte) ? "has a control character in it, which nobody can type" : NULL;
        }
}

const char *passphrase_fault(const Secret *passphrase) {
        if (passphrase->size == 0)
                return "is empty";
        if (passphrase->size > PASSPHRASE_SIZE_MAX)
                return "is longer than 512 bytes, which nobody can type";
        if (passphrase->size >= strlen(BYTE_ORDER_MARK) &&
            memcmp(passphrase->bytes, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
                return "begins with a byte order mark, which nobody can type: save it as plain text";
        for (size_t i = 0; i < passphrase->size; i++) {
                const char *fault = byte_fault(passphrase->bytes[i]);

                if (fault)
                        return fault;
        }
        return NULL;
}

static int say_mode(const char *path, mode_t mode, char **ret_problem) {
        _cleanup_(freep) char *quoted = NULL;

        const int r = text_quote(path, &quoted);
        if (r < 0)
                return r;
        return text_format(ret_problem,
                           "%s holds the passphrase, and has mode %04o: nobody but its owner may have "
                           "access to it; run: chmod 600 %s",
                           path, (unsigned)mode & 07777, quoted);
}

static const char *kind_of(mode_t mode) {
        return S_ISFIFO(mode)  ? "a pipe"
               : S_ISDIR(mode) ? "a directory"
               : S_ISCHR(mode) ? "a device"
                               : "something else";
}

/* Opens the file if it may be used; otherwise ret_problem says what is wrong with it, and the answer is -EBADF. */
static int open_file(const char *path, char **ret_problem) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat status;
        int r = 0;

        if (fd < 0 || fstat(fd, &status) < 0)
                r = text_format(ret_problem, "Cannot read the passphrase from %s: %s", path, strerror(errno));
        else if (!S_ISREG(status.st_mode))
                r = text_format(ret_problem,
                                "Cannot read the passphrase from %s: it is %s, and no regular file", path,
                                kind_of(status.st_mode));
        else if (status.st_mode & FOREIGN_MODE)
                r = say_mode(path, status.st_mode, ret_problem);
        else
                return TAKE_FD(fd);
        return r < 0 ? r : -EBADF;
}

static int read_file(const char *path, Secret **ret, char **ret_problem) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        _cleanup_(fd_closep) int fd = open_file(path, ret_problem);

        if (fd < 0)
                return fd;
        int r = secret_new(FILE_SIZE_MAX, &secret);
        if (r < 0)
                return r;
        while (secret->size < FILE_SIZE_MAX) {
                const ssize_t n = read(fd, secret->bytes + secret->size, FILE_SIZE_MAX - secret->size);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                secret->size += (size_t)n;
        }
        if (secret->size > 0 && secret->bytes[secret->size - 1] == '\n')
                secret->size--;

        const char *fault = passphrase_fault(secret);
        if (fault) {
                r = text_format(ret_problem, "The passphrase in %s %s", path, fault);
                return r < 0 ? r : -EBADF;
        }
        *ret = TAKE_PTR(secret);
        return 0;
}

int passphrase_file_read(const char *path, Secret **ret, char **ret_problem) {
        _cleanup_(freep) char *said = NULL;

        const int r = config_path_say(path, &said);
        return r < 0 ? r : read_file(said, ret, ret_problem);
}

int passphrase_file_check(const char *path, char ***problems) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        char *problem = NULL;

        const int r = passphrase_file_read(path, &secret, &problem);
        return r == -EBADF ? strv_take(problems, problem) : r;
}

int passphrase_file_load(const char *path, Secret **ret) {
        _cleanup_(freep) char *problem = NULL;

        const int r = passphrase_file_read(path, ret, &problem);
        if (r == -EBADF)
                return log_error(-EINVAL, "%s", problem);
        if (r < 0)
                return log_error(r, "Cannot read the passphrase from %s: %m", path);
        if ((*ret)->bytes[(*ret)->size - 1] == ' ')
                log_warning("The passphrase in %s ends with a blank, which is a part of it", path);
        return 0;
}
