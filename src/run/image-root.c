/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mount-namespace.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "config/config-search-path.h"
#include "config/foreign.h"
#include "format/gpt-reader.h"
#include "format/partition-type.h"
#include "format/unpack.h"
#include "run/image-lock.h"
#include "run/image-root.h"
#include "run/partition-mount.h"

#define SCRATCH_PARENT "/var/tmp" /* archives may be too large for memory */
#define MOUNTS_NAME    "mounts"
#define TREE_NAME      "tree"

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
static_assert(ELEMENTSOF(parts) <= IMAGE_ROOT_PARTS_MAX, "There may be more programs than there is room for");

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

static bool is_archive(const Config *config) {
        return config->format == OUTPUT_FORMAT_TAR;
}

static bool persists_in_archive(const Config *config) {
        return config->persistent && is_archive(config);
}

static bool persists_in_squashfs(const Config *config) {
        return config->persistent && output_format_is_squashfs(config->format);
}

/* Squashfs is said before, and directories cannot be marked so. */
static bool persists_read_only(const Config *config) {
        return config->persistent && config->read_only && !output_format_is_squashfs(config->format) &&
               (output_format_is_disk(config->format) || config->format == OUTPUT_FORMAT_SUBVOLUME);
}

typedef enum Runner {
        RUNNER_OURS = 1 << 0,
        RUNNER_NSPAWN = 1 << 1,
        RUNNER_ANY = RUNNER_OURS | RUNNER_NSPAWN,
} Runner;

/* What cannot be run, by whom, and what to do instead. */
static const struct {
        bool (*found)(const Config *config);
        size_t setting;
        Runner runner;
        const char *why;
} refusals[] = {
        { is_compressed_disk, CONFIG(compress_output), RUNNER_ANY,
          "what is compressed as a whole cannot be mounted: build it with CompressOutput=no" },
        { output_is_qcow2, CONFIG(qcow2), RUNNER_ANY, "only the verb qemu can read it" },
        { is_encrypted, CONFIG(encrypt), RUNNER_OURS,
          "its partitions can only be opened by a kernel of their own: take the verb qemu, or --nspawn, which "
          "asks for the passphrase" },
        { is_archive, CONFIG(format), RUNNER_NSPAWN,
          "systemd-nspawn reads no archives: leave out --nspawn, or build it with Format=directory" },
        { persists_in_archive, CONFIG(format), RUNNER_OURS,
          "--persistent changes the image, and an archive cannot be changed: leave the option out" },
        { persists_in_squashfs, CONFIG(format), RUNNER_ANY,
          "--persistent changes the image, and squashfs cannot be changed: leave the option out" },
        { persists_read_only, CONFIG(read_only), RUNNER_ANY,
          "--persistent changes the image, and this one is not to be changed: leave the option out" },
};

int image_root_check(const LoadedConfig *loaded, char ***problems) {
        const Runner runner = loaded->config.nspawn ? RUNNER_NSPAWN : RUNNER_OURS;
        int r = 0;

        if (geteuid() != 0)
                r = strv_append(problems, "Running an image needs root privileges: run it with sudo");
        else
                r = foreign_check_program(loaded->config.architecture,
                                          runner == RUNNER_NSPAWN ? "systemd-nspawn" : NULL, problems);
        for (size_t i = 0; i < ELEMENTSOF(refusals) && r >= 0; i++) {
                _cleanup_(freep) char *said = NULL;

                if (!(refusals[i].runner & runner) || !refusals[i].found(&loaded->config))
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
                r = join_and_make(root->mounts, changes_name, &changes);
        if (r >= 0)
                r = join_and_make(root->mounts, work_name, &work);
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

/* The first partition of the type, for the architecture. */
static const GptEntry *find_entry(const GptDisk *disk, PartitionType type, unsigned architecture) {
        const Uuid uuid = partition_type_uuid(type, architecture);

        for (size_t i = 0; i < disk->n_entries; i++)
                if (uuid_equal(disk->entries[i].type, uuid))
                        return &disk->entries[i];
        return NULL;
}

static int mount_part(ImageRoot *root, const PartitionMount *mount, const Part *part, Reason *reason) {
        _cleanup_(freep) char *place = NULL, *target = NULL;
        _cleanup_(reason_done) Reason why = {};
        FuseMount *fuse;

        int r = join_and_make(root->mounts, part->name, &place);
        if (r >= 0)
                r = path_join(root->path, part->directory, &target);
        if (r < 0)
                return r;
        r = partition_mount(mount, place, &fuse, &why);
        if (r < 0)
                return reason_set(reason, r, "The file system for /%s: %s", part->directory,
                                  reason_text(&why, r));
        if (fuse)
                root->fuse[root->n_fuse++] = fuse;
        return show(root, part->name, place, target, mount->writable, reason);
}

static int open_disk(ImageRoot *root, const Config *config, const PartitionMount *whole, Reason *reason) {
        GptDisk disk = {};
        unsigned architecture;

        int r = partition_architecture_find(architecture_words[config->architecture], &architecture);
        if (r >= 0)
                r = gpt_read(whole->fd, whole->size, &disk, reason);
        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++) {
                const GptEntry *entry = find_entry(&disk, parts[i].type, architecture);

                if (entry) {
                        PartitionMount mount = *whole;

                        mount.offset = entry->offset;
                        mount.size = entry->size;
                        r = mount_part(root, &mount, &parts[i], reason);
                } else if (parts[i].type == PARTITION_ROOT)
                        r = reason_set(reason, -ENOENT, "It has no root partition for this architecture");
        }
        gpt_disk_done(&disk);
        return r;
}

static int open_archive(ImageRoot *root, int fd, Reason *reason) {
        _cleanup_(freep) char *tree = NULL;
        _cleanup_(fd_closep) int directory_fd = -EBADF;

        int r = join_and_make(root->scratch->path, TREE_NAME, &tree);
        if (r < 0)
                return r;
        directory_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory_fd < 0)
                return -errno;
        r = unpack_archive(fd, directory_fd, NULL, reason);
        return r < 0 ? r : show(root, "root", tree, root->path, true, reason);
}

static int open_file(ImageRoot *root, const Config *config, Reason *reason) {
        const bool writes = config->persistent && output_format_is_disk(config->format);
        _cleanup_(fd_closep) int fd = open(config->output, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        _cleanup_(freep) char *search_path = NULL;
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return reason_set(reason, -EINVAL, "It is no file: \"mkosi --force\" replaces it by one");
        if (config->format == OUTPUT_FORMAT_TAR)
                return open_archive(root, fd, reason);
        const int r = config_search_path(config, &search_path);
        if (r < 0)
                return r;
        const PartitionMount whole = {
                .fd = fd, .size = (uint64_t)status.st_size, .writable = writes, .search_path = search_path
        };
        if (output_format_is_disk(config->format))
                return open_disk(root, config, &whole, reason);
        return mount_part(root, &whole, &parts[0], reason);
}

static int open_output(ImageRoot *root, const Config *config, Reason *reason) {
        struct stat status;

        if (output_format_is_file(config->format))
                return open_file(root, config, reason);
        if (stat(config->output, &status) < 0)
                return -errno;
        if (!S_ISDIR(status.st_mode))
                return reason_set(reason, -ENOTDIR,
                                  "It is no directory: \"mkosi --force\" replaces it by one");
        return show(root, "root", config->output, root->path, config->persistent, reason);
}

static int make_places(ImageRoot *root) {
        int r = scratch_new(SCRATCH_PARENT, &root->scratch);
        if (r >= 0)
                r = join_and_make(root->scratch->path, MOUNTS_NAME, &root->mounts);
        if (r >= 0)
                r = mount_namespace_leave();
        if (r < 0)
                return r;
        if (mount("tmpfs", root->mounts, "tmpfs", MS_NODEV, "mode=0700") < 0)
                return -errno;
        root->mounted = true;
        return join_and_make(root->mounts, TREE_NAME, &root->path);
}

int image_root_new(const LoadedConfig *loaded, ImageRoot **ret) {
        _cleanup_(image_root_freep) ImageRoot *root = calloc(1, sizeof(*root));
        _cleanup_(reason_done) Reason reason = {};
        const Config *config = &loaded->config;

        if (!root)
                return -ENOMEM;
        root->lock_fd = -EBADF;
        int r = image_lock(config, &root->lock_fd);
        if (r < 0)
                return r;
        r = make_places(root);
        if (r < 0)
                return log_error(r, "Cannot make a place to mount %s: %m", config->output);
        r = open_output(root, config, &reason);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot open %s: %s", config->output, reason_text(&reason, r));

        *ret = TAKE_PTR(root);
        return 0;
}

void image_root_free(ImageRoot *root) {
        if (!root)
                return;
        if (root->mounted)
                (void)umount2(root->mounts, MNT_DETACH | UMOUNT_NOFOLLOW);
        for (size_t i = 0; i < root->n_fuse; i++)
                fuse_mount_free(root->fuse[i]);
        scratch_free(root->scratch);
        (void)fd_close(root->lock_fd);
        free(root->path);
        free(root->mounts);
        free(root);
}
