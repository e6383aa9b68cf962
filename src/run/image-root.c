/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mount-namespace.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/config-report.h"
#include "config/foreign.h"
#include "format/gpt-reader.h"
#include "format/partition-type.h"
#include "format/unpack.h"
#include "run/image-root.h"
#include "run/loop-device.h"

#define SCRATCH_PATTERN  "/tmp/mkosi-run-XXXXXX"
#define UNPACKED_PATTERN "/var/tmp/mkosi-run-XXXXXX" /* archives may be too large for memory */
#define TREE_NAME        "tree"
#define LUKS_MAGIC       "LUKS\xba\xbe"

/* A file system of the image, and where in the tree it belongs. */
typedef struct Part {
        PartitionType type;
        const char *name;      /* below scratch, and in messages */
        const char *directory; /* in the tree */
} Part;

static const Part parts[] = {
        { PARTITION_ROOT, "root", "" },
        { PARTITION_HOME, "home", "home" },
        { PARTITION_SRV, "srv", "srv" },
};

static int say(const LoadedConfig *loaded, size_t offset, char **ret) {
        _cleanup_(freep) char *said = NULL, *where = NULL;

        int r = config_say(loaded, offset, &said);
        if (r >= 0)
                r = config_where(loaded, offset, 0, &where);
        return r < 0 ? r : text_format(ret, "%s (%s)", said, where);
}

static bool is_compressed_disk(const Config *config) {
        return config->compress_output.word != OUTPUT_COMPRESSION_NO && config->format != OUTPUT_FORMAT_TAR;
}

static bool is_encrypted(const Config *config) {
        return config->encrypt != ENCRYPT_OFF;
}

static bool cannot_persist(const Config *config) {
        return config->persistent && (config->read_only || config->format == OUTPUT_FORMAT_TAR);
}

/* What cannot be run, and what to do instead. */
static const struct {
        bool (*found)(const Config *config);
        size_t setting;
        const char *why;
} refusals[] = {
        { is_compressed_disk, CONFIG(compress_output),
          "what is compressed as a whole cannot be mounted: build it with CompressOutput=no" },
        { output_is_qcow2, CONFIG(qcow2), "only the verb qemu can read it" },
        { is_encrypted, CONFIG(encrypt),
          "its partitions can only be opened by a kernel of their own: take the verb qemu" },
        { cannot_persist, CONFIG(format),
          "--persistent changes the image, and this one cannot be changed: leave the option out" },
};

int image_root_check(const LoadedConfig *loaded, char ***problems) {
        int r = 0;

        if (geteuid() != 0)
                r = strv_append(problems, "Running an image needs root privileges: run it with sudo");
        else
                r = foreign_check(loaded->config.architecture, problems);
        for (size_t i = 0; i < ELEMENTSOF(refusals) && r >= 0; i++) {
                _cleanup_(freep) char *said = NULL;

                if (!refusals[i].found(&loaded->config))
                        continue;
                r = say(loaded, refusals[i].setting, &said);
                if (r >= 0)
                        r = strv_append_format(problems, "%s: %s", said, refusals[i].why);
        }
        return r;
}

static int join_and_make(const char *directory, const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL;

        const int r = path_join(directory, name, &path);
        if (r < 0)
                return r;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return -errno;
        *ret = TAKE_PTR(path);
        return 0;
}

/* Above what cannot or must not be changed, changes in memory. */
static int lay_over(const ImageRoot *root, const char *name, const char *below, const char *target) {
        _cleanup_(freep) char *changes_name = NULL, *work_name = NULL, *changes = NULL, *work = NULL,
                              *options = NULL;
        _cleanup_(fd_closep) int below_fd = open(below, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat status;

        if (below_fd < 0 || fstat(below_fd, &status) < 0)
                return -errno;
        int r = text_format(&changes_name, "%s-changes", name);
        if (r >= 0)
                r = text_format(&work_name, "%s-work", name);
        if (r >= 0)
                r = join_and_make(root->scratch, changes_name, &changes);
        if (r >= 0)
                r = join_and_make(root->scratch, work_name, &work);
        if (r < 0)
                return r;
        if (chown(changes, status.st_uid, status.st_gid) < 0 || chmod(changes, status.st_mode & 07777) < 0)
                return -errno;
        r = text_format(&options, "lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s", below_fd, changes,
                        work);
        if (r < 0)
                return r;
        return mount("overlay", target, "overlay", 0, options) < 0 ? -errno : 0;
}

/* The tree itself, at its place or with changes in memory. */
static int show(const ImageRoot *root, const char *name, const char *source, const char *target,
                bool persistent, Reason *reason) {
        int r = 0;

        if (!persistent)
                r = lay_over(root, name, source, target);
        else if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
                r = -errno;
        return r < 0 ? reason_set(reason, r, "Cannot mount %s%s: %m", source,
                                  persistent ? "" : " with changes in memory above it")
                     : 0;
}

static int refuse_encrypted(int fd, const GptEntry *entry, const Part *part, Reason *reason) {
        char magic[sizeof(LUKS_MAGIC) - 1];

        const int r = fd_pread_all(fd, magic, sizeof(magic), entry->offset);
        if (r < 0)
                return r;
        if (memcmp(magic, LUKS_MAGIC, sizeof(magic)) != 0)
                return 0;
        return reason_set(reason, -EOPNOTSUPP, "The partition for %s is encrypted: take the verb qemu",
                          part->name);
}

/* Which file system it is, the kernel finds out by trying those that we make. */
static int mount_device(const char *device, const char *target, bool read_only) {
        static const char *const types[] = { "ext4", "btrfs", "squashfs" };
        int r = -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(types) && r < 0; i++) {
                const unsigned long flags = MS_NODEV | (read_only ? MS_RDONLY : 0);

                if (mount(device, target, types[i], flags, NULL) == 0)
                        return 0;
                /* One that the kernel does not know must not hide what another one says. */
                if (errno != ENODEV)
                        r = errno == EINVAL ? -EINVAL : -errno;
                if (errno != EINVAL && errno != ENODEV)
                        break;
        }
        return r;
}

static int mount_extent(int fd, uint64_t offset, uint64_t size, const char *target, bool read_only,
                        Reason *reason) {
        _cleanup_(fd_closep) int device_fd = -EBADF;
        _cleanup_(freep) char *device = NULL;

        int r = loop_device_attach(fd, offset, size, read_only, &device_fd, &device);
        if (r < 0)
                return reason_set(
                        reason, r,
                        "Cannot get a loop device: %m; in a container without them, build Format=directory or "
                        "Format=tar");
        r = mount_device(device, target, read_only);
        return r < 0 ? reason_set(reason, r, "Cannot mount %s: %m", device) : 0;
}

/* The first partition of the type, for the architecture. */
static const GptEntry *find_entry(const GptDisk *disk, PartitionType type, unsigned architecture) {
        const Uuid uuid = partition_type_uuid(type, architecture);

        for (size_t i = 0; i < disk->n_entries; i++)
                if (uuid_equal(disk->entries[i].type, uuid))
                        return &disk->entries[i];
        return NULL;
}

static int mount_part(const ImageRoot *root, int fd, const Part *part, const GptEntry *entry, bool persistent,
                      Reason *reason) {
        _cleanup_(freep) char *place = NULL, *target = NULL;

        int r = refuse_encrypted(fd, entry, part, reason);
        if (r >= 0)
                r = join_and_make(root->scratch, part->name, &place);
        if (r >= 0)
                r = path_join(root->path, part->directory, &target);
        if (r >= 0)
                r = mount_extent(fd, entry->offset, entry->size, place, !persistent, reason);
        return r < 0 ? r : show(root, part->name, place, target, persistent, reason);
}

static int open_disk(const ImageRoot *root, const LoadedConfig *loaded, int fd, uint64_t size,
                     Reason *reason) {
        const Config *config = &loaded->config;
        GptDisk disk = {};
        unsigned architecture;

        int r = partition_architecture_find(architecture_words[config->architecture], &architecture);
        if (r >= 0)
                r = gpt_read(fd, size, &disk, reason);
        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++) {
                const GptEntry *entry = find_entry(&disk, parts[i].type, architecture);

                if (entry)
                        r = mount_part(root, fd, &parts[i], entry, config->persistent, reason);
                else if (parts[i].type == PARTITION_ROOT)
                        r = reason_set(reason, -ENOENT, "It has no root partition for this architecture");
        }
        gpt_disk_done(&disk);
        return r;
}

static int open_archive(ImageRoot *root, int fd, Reason *reason) {
        char path[] = UNPACKED_PATTERN;
        _cleanup_(freep) char *tree = NULL;
        _cleanup_(fd_closep) int directory_fd = -EBADF;

        /* Below a directory that nobody else may enter: there may be set-user-ID programs in it. */
        if (!mkdtemp(path))
                return -errno;
        int r = text_copy(path, &root->unpacked);
        if (r >= 0)
                r = join_and_make(path, TREE_NAME, &tree);
        if (r < 0)
                return r;
        directory_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory_fd < 0)
                return -errno;
        r = unpack_archive(fd, directory_fd, NULL, reason);
        return r < 0 ? r : show(root, "root", tree, root->path, true, reason);
}

static int open_file(ImageRoot *root, const LoadedConfig *loaded, Reason *reason) {
        const Config *config = &loaded->config;
        const bool writes = config->persistent && output_format_is_disk(config->format);
        _cleanup_(fd_closep) int fd = open(config->output, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        const uint64_t size = (uint64_t)status.st_size;
        if (config->format == OUTPUT_FORMAT_TAR)
                return open_archive(root, fd, reason);
        if (output_format_is_disk(config->format))
                return open_disk(root, loaded, fd, size, reason);
        return mount_part(root, fd, &parts[0], &(GptEntry){ .size = size }, false, reason);
}

static int open_output(ImageRoot *root, const LoadedConfig *loaded, Reason *reason) {
        const Config *config = &loaded->config;

        if (output_format_is_file(config->format))
                return open_file(root, loaded, reason);
        return show(root, "root", config->output, root->path, config->persistent, reason);
}

static int make_scratch(ImageRoot *root) {
        char path[] = SCRATCH_PATTERN;

        if (!mkdtemp(path))
                return -errno;
        int r = text_copy(path, &root->scratch);
        if (r >= 0)
                r = mount_namespace_leave();
        if (r < 0)
                return r;
        if (mount("tmpfs", root->scratch, "tmpfs", MS_NODEV, "mode=0700") < 0)
                return -errno;
        root->mounted = true;
        return join_and_make(root->scratch, TREE_NAME, &root->path);
}

int image_root_new(const LoadedConfig *loaded, ImageRoot **ret) {
        _cleanup_(image_root_freep) ImageRoot *root = calloc(1, sizeof(*root));
        _cleanup_(reason_done) Reason reason = {};
        const char *output = loaded->config.output;

        if (!root)
                return -ENOMEM;
        int r = make_scratch(root);
        if (r < 0)
                return log_error(r, "Cannot make a place to mount %s: %m", output);
        r = open_output(root, loaded, &reason);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot open %s: %s", output, reason_text(&reason, r));

        *ret = TAKE_PTR(root);
        return 0;
}

void image_root_free(ImageRoot *root) {
        if (!root)
                return;
        if (root->mounted)
                (void)umount2(root->scratch, MNT_DETACH | UMOUNT_NOFOLLOW);
        if (root->scratch)
                (void)rmdir(root->scratch);
        if (root->unpacked)
                (void)tree_remove(AT_FDCWD, root->unpacked);
        free(root->path);
        free(root->scratch);
        free(root->unpacked);
        free(root);
}
