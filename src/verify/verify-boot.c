/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/strv.h"
#include "format/vfat-reader.h"
#include "verify/verify-check.h"
#include "verify/verify-program.h"

/* Where programs are that firmware and boot loaders run. */
static const struct {
        PartitionType type;
        const char *object;
        bool has_loader;   /* what firmware looks for must be there */
        bool may_be_other; /* it may hold another file system than firmware reads */
} boot_types[] = {
        { PARTITION_ESP, "EFI system partition", .has_loader = true },
        { PARTITION_XBOOTLDR, "extended boot partition", .may_be_other = true },
};

#define LOADER_DIRECTORY "EFI/BOOT/BOOT"
#define ENTRY_DIRECTORY  "loader/entries/"
#define ENTRY_SIZE_MAX   (64 * KIB)

/* FAT does not mind the case of letters. */
static bool is_named(const VfatFile *file, const char *directory, const char *suffix) {
        const size_t length = strlen(file->path), n = strlen(suffix);

        return !file->directory && strncasecmp(file->path, directory, strlen(directory)) == 0 && length > n &&
               strcasecmp(file->path + length - n, suffix) == 0;
}

static bool is_program(const VfatFile *file) {
        return is_named(file, "", ".efi");
}

static bool is_entry(const VfatFile *file) {
        return is_named(file, ENTRY_DIRECTORY, ".conf");
}

/* What firmware starts when nobody tells it what to start. */
static bool is_loader(const VfatFile *file) {
        return is_named(file, LOADER_DIRECTORY, ".efi");
}

/* What is read of it goes to a file in memory. */
static int copy_out(const VfatReader *reader, const VfatFile *file) {
        _cleanup_(fd_closep) int fd = memfd_create("program", MFD_CLOEXEC);

        if (fd < 0)
                return -errno;
        int r = interrupt_check();
        if (r >= 0)
                r = vfat_reader_copy(reader, file, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

static int check_program(VerifyPrograms *programs, const VfatReader *reader, const VfatFile *file) {
        _cleanup_(fd_closep) int fd = copy_out(reader, file);

        return fd < 0 ? fd : verify_program(programs, fd, file->path);
}

static const VfatFile *find_file(const VfatReader *reader, const char *path) {
        for (size_t i = 0; i < reader->n_files; i++)
                if (!reader->files[i].directory && strcasecmp(reader->files[i].path, path) == 0)
                        return &reader->files[i];
        return NULL;
}

/* What an entry starts, once, if it is not looked at for its name. */
static int check_started(VerifyPrograms *programs, const VfatReader *reader, const char *entry,
                         const char *path) {
        const VfatFile *file = find_file(reader, path);

        if (!file)
                return verify_add(&programs->disk->results, VERIFY_FAILED, entry,
                                  "It starts %s, which is not there", path);
        if (is_program(file) || strv_contains(STRV(programs->started), file->path))
                return 0;
        const int r = strv_append(&programs->started, file->path);
        return r < 0 ? r : check_program(programs, reader, file);
}

static int check_entry(VerifyPrograms *programs, const VfatReader *reader, const VfatFile *file) {
        _cleanup_(strv_freep) char **started = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;

        if (file->size > ENTRY_SIZE_MAX)
                return verify_add(&programs->disk->results, VERIFY_FAILED, file->path,
                                  "It is too large for an entry of the boot loader");
        fd = copy_out(reader, file);
        if (fd < 0)
                return fd;
        text = calloc(1, (size_t)file->size + 1);
        if (!text)
                return -ENOMEM;
        int r = fd_pread_all(fd, text, file->size, 0);
        if (r < 0)
                return r;
        if (strlen(text) != file->size)
                return verify_add(&programs->disk->results, VERIFY_FAILED, file->path, "It is no text");
        r = verify_boot_entry(programs, text, file->path, &started);
        for (char **path = started; path && *path && r >= 0; path++)
                r = check_started(programs, reader, file->path, *path);
        return r;
}

/* 1 when what firmware looks for is among them. */
static int check_files(VerifyPrograms *programs, const VfatReader *reader) {
        bool has_loader = false;
        int r = 0;

        strv_free(TAKE_PTR(programs->started));

        for (size_t i = 0; i < reader->n_files && r >= 0; i++) {
                const VfatFile *file = &reader->files[i];

                has_loader = has_loader || is_loader(file);
                if (is_program(file))
                        r = check_program(programs, reader, file);
                else if (is_entry(file))
                        r = check_entry(programs, reader, file);
        }
        return r < 0 ? r : has_loader;
}

/* By the end of the boot sector, which others leave free. */
static int holds_fat(const VerifyDisk *disk, const GptEntry *entry) {
        uint8_t end[2];

        const int r = fd_pread_all(disk->fd, end, sizeof(end), entry->offset + 510);
        return r < 0 ? r : end[0] == 0x55 && end[1] == 0xaa;
}

static int check_boot_partition(VerifyPrograms *programs, const GptEntry *entry, size_t type) {
        VerifyDisk *disk = programs->disk;
        const char *object = boot_types[type].object;
        _cleanup_(vfat_reader_freep) VfatReader *reader = NULL;
        _cleanup_(reason_done) Reason reason = {};

        int r = boot_types[type].may_be_other ? holds_fat(disk, entry) : 1;
        if (r == 0)
                return verify_add(&disk->results, verify_disk_absence(disk, VERIFY_WANTS_BOOT_SIGNATURE),
                                  object, "It holds no FAT, and its programs are not looked into");
        if (r >= 0)
                r = vfat_reader_new(disk->fd, entry->offset, entry->size, &reader, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, object, "%s", reason_text(&reason, r));
        if (r >= 0)
                r = verify_add(&disk->results, VERIFY_OK, object, "FAT%u with %zu files and directories",
                               reader->bits, reader->n_files);
        if (r >= 0)
                r = check_files(programs, reader);
        if (r == 0 && boot_types[type].has_loader)
                r = verify_add(&disk->results, VERIFY_FAILED, object,
                               "There is no EFI/BOOT/BOOT….EFI, which firmware looks for");
        return r;
}

/* All that there are: which one firmware takes, or a boot loader, is their choice. */
int verify_check_boot(VerifyDisk *disk) {
        _cleanup_(verify_programs_done) VerifyPrograms programs = { .disk = disk };
        bool found = false;

        for (size_t i = 0; i < disk->table.n_entries; i++)
                for (size_t k = 0; k < ELEMENTSOF(boot_types); k++) {
                        const GptEntry *entry = &disk->table.entries[i];
                        PartitionType type;
                        unsigned architecture;

                        if (partition_type_find(entry->type, &type, &architecture) < 0 ||
                            type != boot_types[k].type)
                                continue;
                        const int r = check_boot_partition(&programs, entry, k);
                        if (r < 0)
                                return r;
                        found = found || boot_types[k].has_loader;
                }
        verify_programs_end(&programs);
        return found ? 0
                     : verify_add(&disk->results, verify_disk_absence(disk, VERIFY_WANTS_BOOT_SIGNATURE),
                                  boot_types[0].object, "There is none");
}
