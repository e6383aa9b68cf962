/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/sysmacros.h>

#include "format/tar-header.h"

#define NAME_SIZE   100
#define PREFIX_SIZE 155

/* Where what is, and how many digits a number has; a NUL or a space and a NUL stand behind them. */
#define NAME_OFFSET     0
#define MODE_OFFSET     100
#define UID_OFFSET      108
#define GID_OFFSET      116
#define SIZE_OFFSET     124
#define TIME_OFFSET     136
#define CHECKSUM_OFFSET 148
#define TYPE_OFFSET     156
#define TARGET_OFFSET   157
#define MAGIC_OFFSET    257
#define MAJOR_OFFSET    329
#define MINOR_OFFSET    337
#define PREFIX_OFFSET   345
#define SMALL_DIGITS    6
#define LARGE_DIGITS    11

/* Later ones do not fit into 32 bits, and some readers take no more. */
#define TIME_MAX INT32_MAX

static bool put_number(uint8_t *field, uint64_t number, unsigned n_digits) {
        for (unsigned i = n_digits; i > 0; i--, number >>= 3)
                field[i - 1] = (uint8_t)('0' + (number & 7));
        if (n_digits == SMALL_DIGITS) {
                field[SMALL_DIGITS] = ' ';
                field[SMALL_DIGITS + 1] = '\0';
        } else
                field[n_digits] = ' ';
        return number == 0;
}

static bool is_ascii(const char *text, size_t size) {
        unsigned char all = 0;

        for (size_t i = 0; i < size; i++)
                all |= (unsigned char)text[i];
        return all < 0x80;
}

/* A name that is too long is cut at a slash, which both parts do without. */
static bool put_name(uint8_t *header, const TarMember *member) {
        char name[PREFIX_SIZE + 1 + NAME_SIZE];
        const bool is_directory = S_ISDIR(member->node->status.st_mode);
        const size_t before = member->node->parent ? strlen("./") : 0, path_size = strlen(member->path);
        const size_t size = before + path_size + is_directory;

        if (size > sizeof(name))
                return false;
        memcpy(name, "./", before);
        memcpy(name + before, member->path, path_size);
        if (is_directory)
                name[size - 1] = '/';
        if (!is_ascii(name, size))
                return false;
        if (size <= NAME_SIZE) {
                memcpy(header + NAME_OFFSET, name, size);
                return true;
        }

        /* The first slash that leaves no more behind it than there is room for. */
        const size_t begin = size - NAME_SIZE - 1;
        const char *slash = memchr(name + begin, '/', size - begin);
        const size_t prefix_size = slash ? (size_t)(slash - name) : SIZE_MAX;
        if (prefix_size > PREFIX_SIZE || prefix_size + 1 == size)
                return false;
        memcpy(header + PREFIX_OFFSET, name, prefix_size);
        memcpy(header + NAME_OFFSET, name + prefix_size + 1, size - prefix_size - 1);
        return true;
}

static bool put_target(uint8_t *header, const TarMember *member) {
        const char *target = member->original ? member->original : member->node->target;
        uint8_t *field = header + TARGET_OFFSET;

        if (!target)
                return true;
        const size_t size = strlen(target), before = member->original ? strlen("./") : 0;
        if (before + size > NAME_SIZE || !is_ascii(target, size))
                return false;
        memcpy(field, "./", before);
        memcpy(field + before, target, size);
        return true;
}

static char type_of(const TarMember *member) {
        if (member->original)
                return '1';
        switch (member->node->status.st_mode & S_IFMT) {
        case S_IFREG:
                return '0';
        case S_IFLNK:
                return '2';
        case S_IFCHR:
                return '3';
        case S_IFBLK:
                return '4';
        case S_IFDIR:
                return '5';
        case S_IFIFO:
                return '6';
        default:
                return '\0';
        }
}

static bool put_numbers(uint8_t *header, const TarMember *member) {
        const struct stat *status = &member->node->status;
        const char type = type_of(member);
        const bool is_device = type == '3' || type == '4';

        if (type == '\0' || member->time.tv_nsec != 0 || member->time.tv_sec < 0 ||
            member->time.tv_sec >= TIME_MAX)
                return false;
        header[TYPE_OFFSET] = (uint8_t)type;
        return put_number(header + MODE_OFFSET, status->st_mode & 07777, SMALL_DIGITS) &&
               put_number(header + UID_OFFSET, status->st_uid, SMALL_DIGITS) &&
               put_number(header + GID_OFFSET, status->st_gid, SMALL_DIGITS) &&
               put_number(header + SIZE_OFFSET, type == '0' ? (uint64_t)status->st_size : 0, LARGE_DIGITS) &&
               put_number(header + TIME_OFFSET, (uint64_t)member->time.tv_sec, LARGE_DIGITS) &&
               put_number(header + MAJOR_OFFSET, is_device ? major(status->st_rdev) : 0, SMALL_DIGITS) &&
               put_number(header + MINOR_OFFSET, is_device ? minor(status->st_rdev) : 0, SMALL_DIGITS);
}

/* The sum of all bytes, with spaces in the place of the sum. */
static void put_checksum(uint8_t *header) {
        unsigned sum = 0;

        memset(header + CHECKSUM_OFFSET, ' ', 8);
        for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
                sum += header[i];
        (void)put_number(header + CHECKSUM_OFFSET, sum, SMALL_DIGITS);
        header[CHECKSUM_OFFSET + SMALL_DIGITS] = '\0';
        header[CHECKSUM_OFFSET + SMALL_DIGITS + 1] = ' ';
}

bool tar_header_make(const TarMember *member, uint8_t header[static TAR_BLOCK_SIZE]) {
        static const char magic[] = "ustar\00000"; /* and the version */

        assert(member && member->node && member->path);

        memset(header, 0, TAR_BLOCK_SIZE);
        memcpy(header + MAGIC_OFFSET, magic, sizeof(magic) - 1);
        if (!put_name(header, member) || !put_target(header, member) || !put_numbers(header, member))
                return false;
        put_checksum(header);
        return true;
}
