/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "format/bmap.h"
#include "format/hash-follower.h"
#include "image/artefact.h"
#include "image/attach-output.h"
#include "image/checksums.h"
#include "image/gnupg.h"
#include "image/moves.h"

#define BMAP_SUFFIX        ".bmap"
#define BMAP_SIZE_MAX      (256 * MIB)
#define CHECKSUMS_SIZE_MAX (16 * MIB)

/* Files that may be beside the image, and what becomes of each. */
typedef enum Part {
        PART_IMAGE,
        PART_BMAP,
        PART_CHECKSUMS,
        PART_SIGNATURE,
        PART_MAX,
} Part;

typedef struct Work {
        const AttachOutput *output;
        char *paths[PART_MAX];     /* where they are */
        char *new_paths[PART_MAX]; /* what takes their places, in the workspace; NULL: they stay */
        bool drop_signature;       /* it does not fit any more */
        int fd;                    /* of the image as it will be */
        bool bmap_changed, has_checksums;
        Sha256Digest bmap_digest;
} Work;

static void work_done(Work *work) {
        for (Part part = 0; part < PART_MAX; part++) {
                free(work->paths[part]);
                free(work->new_paths[part]);
        }
        (void)fd_close(work->fd);
}

static int name_parts(Work *work) {
        _cleanup_(freep) char *parent = NULL;
        const char *path = work->output->path;

        int r = path_parent(path, &parent);
        if (r >= 0)
                r = text_copy(path, &work->paths[PART_IMAGE]);
        if (r >= 0)
                r = text_format(&work->paths[PART_BMAP], "%s" BMAP_SUFFIX, path);
        if (r >= 0)
                r = path_join(parent, CHECKSUMS_NAME, &work->paths[PART_CHECKSUMS]);
        if (r >= 0)
                r = path_join(parent, CHECKSUMS_SIGNATURE_NAME, &work->paths[PART_SIGNATURE]);
        return r;
}

/* Creates what is to take the place of the part. */
static int create_part(Work *work, Part part) {
        static const char *const names[] = { "image", "bmap", "checksums", "signature" };

        static_assert(ELEMENTSOF(names) == PART_MAX, "a part has no name");
        const int r = path_join(work->output->workspace, names[part], &work->new_paths[part]);
        if (r < 0)
                return r;
        const int fd = open(work->new_paths[part], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return fd < 0 ? log_error(-errno, "Cannot create %s: %m", work->new_paths[part]) : fd;
}

/* As the old one: whoever could read it can read the new one. */
static int finish_part(const Work *work, Part like, int fd, const char *path) {
        struct stat status, ours;

        if (stat(work->paths[like], &status) < 0 || fstat(fd, &ours) < 0)
                return log_error(-errno, "Cannot look at %s: %m", work->paths[like]);
        if ((status.st_uid != ours.st_uid || status.st_gid != ours.st_gid) &&
            fchown(fd, status.st_uid, status.st_gid) < 0)
                return log_error(-errno, "Cannot give the new %s to its owner: %m", work->paths[like]);
        if (fchmod(fd, status.st_mode & 07777) < 0 || fsync(fd) < 0)
                return log_error(-errno, "Cannot write %s to disk: %m", path);
        return 0;
}

/* A copy that shares its blocks with the original where the file system can do that. */
static int make_image(Work *work) {
        const SignPatches *patches = work->output->patches;
        struct stat status;

        if (patches->n_items == 0) {
                work->fd = fcntl(work->output->fd, F_DUPFD_CLOEXEC, 0);
                return work->fd < 0 ? -errno : 0;
        }
        if (fstat(work->output->fd, &status) < 0)
                return -errno;
        int r = work->fd = create_part(work, PART_IMAGE);
        if (r < 0)
                return r;
        progress_detail(work->output->progress, path_base_name(work->output->path));
        r = fd_extend(work->fd, (uint64_t)status.st_size);
        if (r >= 0)
                r = fd_copy_range(work->output->fd, 0, work->fd, 0, (uint64_t)status.st_size);
        for (size_t i = 0; i < patches->n_items && r >= 0; i++)
                r = fd_pwrite_all(work->fd, patches->items[i].bytes, patches->items[i].range.size,
                                  patches->items[i].range.offset);
        if (r < 0)
                return log_error(
                        r,
                        "Cannot copy %s to put signatures into it: %m (there must be room for a second "
                        "one beside it)",
                        work->output->path);
        return finish_part(work, PART_IMAGE, work->fd, work->new_paths[PART_IMAGE]);
}

/* What is signed vouches for parts of the image; check sums will vouch for all of it. The copy is looked at, since that is
 * what will be the image. */
static int check_image(Work *work) {
        const AttachOutput *output = work->output;
        Sha256Digest digest;

        progress_expect(output->progress, PROGRESS_BYTES, output->request->size);
        const int r = sign_request_hash(output->request, work->fd, output->progress, &digest);
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot read %s: %m", output->path);
        if (memcmp(&digest, &output->request->digest, sizeof(digest)) != 0)
                return log_error(
                        -ESTALE,
                        "%s was changed since %s was made, or is another image: outside of the places for "
                        "signatures it is not what was built",
                        output->path, output->request_path);
        return 0;
}

/* Writes a part if it is to have another content than it has. */
static int write_part(Work *work, Part part, const char *old, const char *text) {
        if (text_equal(old, text))
                return 0;
        _cleanup_(fd_closep) int fd = create_part(work, part);
        if (fd < 0)
                return fd;
        const int r = fd_write_all(fd, text, strlen(text));
        if (r < 0)
                return log_error(r, "Cannot write %s: %m", work->new_paths[part]);
        return finish_part(work, part, fd, work->new_paths[part]);
}

/* Reads a part that may be there: 0 when it is not. */
static int read_part(const Work *work, Part part, size_t size_max, char **ret) {
        const int r = file_read(AT_FDCWD, work->paths[part], size_max, ret, NULL);

        if (r == -ENOENT)
                return 0;
        return r < 0 ? log_error(r, "Cannot read %s: %s", work->paths[part], file_read_error(r)) : 1;
}

static int make_bmap(Work *work) {
        _cleanup_(freep) char *old = NULL, *text = NULL;

        int r = read_part(work, PART_BMAP, BMAP_SIZE_MAX, &old);
        if (r <= 0)
                return r;
        r = bmap_make(work->fd, NULL, &text);
        if (r >= 0)
                r = sha256(text, strlen(text), &work->bmap_digest);
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot map the blocks of the image: %m");
        work->bmap_changed = true;
        return write_part(work, PART_BMAP, old, text);
}

static int hash_image(const Work *work, Sha256Digest *ret) {
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
        struct stat status;

        if (fstat(work->fd, &status) < 0)
                return -errno;
        int r = hash_follower_start(work->fd, &follower);
        if (r >= 0)
                r = hash_follower_finish(follower, (uint64_t)status.st_size, ret);
        return r < 0 && r != -EINTR ? log_error(r, "Cannot read %s: %m", work->output->path) : r;
}

static int make_checksums(Work *work) {
        _cleanup_(freep) char *old = NULL, *text = NULL, *with_bmap = NULL;
        Sha256Digest digest;

        int r = read_part(work, PART_CHECKSUMS, CHECKSUMS_SIZE_MAX, &old);
        if (r <= 0)
                return r;
        r = hash_image(work, &digest);
        if (r < 0)
                return r;
        r = checksums_replace(old, path_base_name(work->paths[PART_IMAGE]), &digest, &text);
        if (r <= 0)
                return r;
        work->has_checksums = true;
        if (work->bmap_changed)
                r = checksums_replace(text, path_base_name(work->paths[PART_BMAP]), &work->bmap_digest,
                                      &with_bmap);
        return r < 0 ? r : write_part(work, PART_CHECKSUMS, old, with_bmap ?: text);
}

/* importd reads binary ones only. */
static bool is_binary(const Der *bytes) {
        return bytes->size > 0 && (bytes->bytes[0] & 0x80);
}

static int judge_signature(const Work *work) {
        const GivenSignature *given = work->output->signature;
        const char *sums = work->new_paths[PART_CHECKSUMS] ?: work->paths[PART_CHECKSUMS];
        _cleanup_(gnupg_verdict_done) GnupgVerdict verdict = {};

        const int r = gnupg_verify(work->output->config, work->new_paths[PART_SIGNATURE], sums, &verdict);
        if (r == -ENOENT) {
                log_warning("gpg is not installed, so that nobody looked at the signature %s", given->source);
                return 0;
        }
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot run gpg: %m");
        switch (verdict.answer) {
        case GNUPG_GOOD:
        case GNUPG_GOOD_KEY_EXPIRED:
                log_info(CHECKSUMS_NAME " is signed by %s%s", verdict.signer,
                         verdict.trusted ? "" : ", whose key is not trusted");
                return 0;
        case GNUPG_BAD:
                return log_error(-EKEYREJECTED,
                                 "The signature %s is not of the " CHECKSUMS_NAME
                                 " that goes with the image%s: sign the one that is there when all other "
                                 "signatures are attached",
                                 given->source, work->new_paths[PART_CHECKSUMS] ? " when it is signed" : "");
        case GNUPG_KEY_MISSING:
                return log_error(
                        -EKEYREJECTED,
                        "GnuPG does not have the key %s, with which %s was made: import the public key "
                        "(gpg --import)",
                        verdict.signer, given->source);
        case GNUPG_UNREADABLE:
                return log_error(-EKEYREJECTED, "%s is no signature that GnuPG can read", given->source);
        default:
                return log_error(-EKEYREJECTED,
                                 "The signature %s, by %s, has expired, or its key was revoked",
                                 given->source, verdict.signer);
        }
}

static bool is_there(const char *path, const Der *bytes) {
        _cleanup_(freep) char *content = NULL;
        size_t size;

        return file_read(AT_FDCWD, path, GIVEN_SIGNATURE_SIZE_MAX, &content, &size) >= 0 &&
               size == bytes->size && memcmp(content, bytes->bytes, size) == 0;
}

static int make_signature(Work *work) {
        const GivenSignature *given = work->output->signature;
        struct stat status;

        work->drop_signature =
                work->new_paths[PART_CHECKSUMS] && lstat(work->paths[PART_SIGNATURE], &status) == 0;
        if (!given)
                return 0;
        if (!work->has_checksums)
                return log_error(-ENOENT,
                                 "There is a signature of " CHECKSUMS_NAME ", %s, but no such file that "
                                 "names the image: build it with CheckSum=yes",
                                 given->source);
        if (!is_binary(&given->bytes))
                return log_error(-EBADMSG,
                                 "%s is no binary signature: make it without --armor, or run gpg --dearmor",
                                 given->source);
        _cleanup_(fd_closep) int fd = create_part(work, PART_SIGNATURE);
        if (fd < 0)
                return fd;
        int r = fd_write_all(fd, given->bytes.bytes, given->bytes.size);
        if (r < 0)
                return log_error(r, "Cannot write %s: %m", work->new_paths[PART_SIGNATURE]);
        r = judge_signature(work);
        if (r < 0)
                return r;
        if (!work->drop_signature && is_there(work->paths[PART_SIGNATURE], &given->bytes)) {
                free(TAKE_PTR(work->new_paths[PART_SIGNATURE]));
                return 0;
        }
        return finish_part(work, PART_CHECKSUMS, fd, work->new_paths[PART_SIGNATURE]);
}

static int move_parts(const Work *work, Moves *moves) {
        _cleanup_(freep) char *aside = NULL;
        int r = 0;

        if (work->drop_signature) {
                r = path_join(work->output->workspace, "old-signature", &aside);
                if (r >= 0)
                        r = moves_add(moves, work->paths[PART_SIGNATURE], aside, false);
                if (r < 0)
                        return log_error(r, "Cannot move %s out of the way: %m", work->paths[PART_SIGNATURE]);
        }
        for (Part part = 0; part < PART_MAX; part++) {
                if (!work->new_paths[part])
                        continue;
                r = moves_add(moves, work->new_paths[part], work->paths[part], true);
                if (r < 0)
                        return log_error(r, "Cannot replace %s: %m", work->paths[part]);
        }
        return 0;
}

static int publish(const Work *work, AttachResult *ret) {
        _cleanup_(moves_done) Moves moves = {};
        _cleanup_(freep) char *parent = NULL;

        int r = interrupt_check();
        if (r >= 0)
                r = path_parent(work->output->path, &parent);
        if (r < 0)
                return r;
        r = move_parts(work, &moves);
        if (r >= 0 && moves.n_items > 0)
                r = moves_sync(parent);
        if (r < 0) {
                moves_undo(&moves);
                return r;
        }
        *ret = (AttachResult){
                .changed = moves.n_items > 0,
                .has_checksums = work->has_checksums,
                .checksums_stale = access(work->paths[PART_SIGNATURE], F_OK) < 0,
        };
        return 0;
}

int attach_output(const AttachOutput *output, AttachResult *ret) {
        _cleanup_(work_done) Work work = { .output = output, .fd = -EBADF };
        int (*const makers[])(Work * work) = { name_parts, make_image,     check_image,
                                               make_bmap,  make_checksums, make_signature };
        int r = 0;

        assert(output && ret);

        for (size_t i = 0; i < ELEMENTSOF(makers) && r >= 0; i++)
                r = makers[i](&work);
        return r < 0 ? r : publish(&work, ret);
}
