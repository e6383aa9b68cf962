/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/text.h"
#include "service/ipc-objects.h"

#define SHARED_MEMORY_PATH "/dev/shm"
#define DEPTH_MAX          200 /* each takes a descriptor; what lies deeper stays, and is complained of */

/* Everything is looked at in one way: removing is looking, and deleting what was found. */
typedef struct IpcSearch {
        uid_t uid;
        bool remove;
        bool found;
        int error; /* the first one */
        Reason *reason;
} IpcSearch;

static bool is_owned(const IpcSearch *search, uid_t uid, gid_t gid) {
        return uid == search->uid || gid == (gid_t)search->uid;
}

/* Somebody else may have removed it meanwhile. */
static void note_error(IpcSearch *search, int r, const char *what) {
        if (r == -ENOENT || r == -EIDRM || r == -EINVAL || search->error < 0)
                return;
        search->error =
                reason_set(search->reason, r, "Cannot remove %s of user %u: %m", what, (unsigned)search->uid);
}

static int remove_memory(int id) {
        return shmctl(id, IPC_RMID, NULL) < 0 ? -errno : 0;
}

static int remove_semaphores(int id) {
        return semctl(id, 0, IPC_RMID) < 0 ? -errno : 0;
}

static int remove_queue(int id) {
        return msgctl(id, IPC_RMID, NULL) < 0 ? -errno : 0;
}

/* A list in /proc/sysvipc, proc(5), of which the columns are found by their headings. */
typedef struct SystemVKind {
        const char *path, *what, *id_column, *attached_column;
        int (*remove)(int id);
} SystemVKind;

static const SystemVKind system_v_kinds[] = {
        { "/proc/sysvipc/shm", "shared memory", "shmid", "nattch", remove_memory },
        { "/proc/sysvipc/sem", "semaphores", "semid", NULL, remove_semaphores },
        { "/proc/sysvipc/msg", "a message queue", "msqid", NULL, remove_queue },
};

#define COLUMNS_MAX 24

/* Where the columns are that are looked at; -1: the list has none. */
typedef struct SystemVColumns {
        int id, attached, uid, gid;
} SystemVColumns;

static size_t columns_split(char *line, char *columns[static COLUMNS_MAX]) {
        size_t n = 0;
        char *rest = NULL;

        for (char *word = strtok_r(line, " \t\n", &rest); word && n < COLUMNS_MAX;
             word = strtok_r(NULL, " \t\n", &rest))
                columns[n++] = word;
        return n;
}

static int column_find(char *const *columns, size_t n, const char *name) {
        for (size_t i = 0; name && i < n; i++)
                if (text_equal(columns[i], name))
                        return (int)i;
        return -1;
}

/* A number that fits an int or a user's number. */
static int column_read(char *const *columns, size_t n, int place, uint32_t *ret) {
        uint64_t number;

        if (place < 0 || (size_t)place >= n || parse_uint64(columns[place], &number) < 0 ||
            number > UINT32_MAX)
                return -EBADMSG;
        *ret = (uint32_t)number;
        return 0;
}

static int search_line(IpcSearch *search, const SystemVKind *kind, const SystemVColumns *places, char *line) {
        char *columns[COLUMNS_MAX];
        uint32_t id, uid, gid, n_attached = 0;

        const size_t n = columns_split(line, columns);
        if (column_read(columns, n, places->id, &id) < 0 || column_read(columns, n, places->uid, &uid) < 0 ||
            column_read(columns, n, places->gid, &gid) < 0 ||
            (places->attached >= 0 && column_read(columns, n, places->attached, &n_attached) < 0))
                return -EBADMSG;
        if (!is_owned(search, uid, gid))
                return 0;
        /* What is still attached goes away with the last process if it is removed; it does not count as left behind. */
        if (!search->remove && n_attached > 0)
                return 0;

        search->found = true;
        if (search->remove)
                note_error(search, kind->remove((int)id), kind->what);
        return 0;
}

static int search_system_v(IpcSearch *search, const SystemVKind *kind) {
        _cleanup_(file_closep) FILE *file = NULL;
        _cleanup_(freep) char *line = NULL;
        char *columns[COLUMNS_MAX];
        size_t size = 0;

        file = fopen(kind->path, "re");
        if (!file)
                return errno == ENOENT ? 0 : -errno; /* a kernel without */
        if (getline(&line, &size, file) < 0)
                return -EBADMSG;

        const size_t n = columns_split(line, columns);
        const SystemVColumns places = {
                .id = column_find(columns, n, kind->id_column),
                .attached = column_find(columns, n, kind->attached_column),
                .uid = column_find(columns, n, "uid"),
                .gid = column_find(columns, n, "gid"),
        };
        while (getline(&line, &size, file) >= 0) {
                const int r = search_line(search, kind, &places, line);
                if (r < 0)
                        return r;
        }
        return ferror(file) ? -EIO : 0;
}

static int search_directory(IpcSearch *search, int dir_fd, const char *what, unsigned depth);

static int search_entry(IpcSearch *search, int dir_fd, const char *name, const char *what, unsigned depth) {
        struct stat status;

        if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX) {
                const int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0)
                        return errno == ENOENT ? 0 : -errno;
                const int r = search_directory(search, fd, what, depth + 1);
                if (r < 0)
                        return r;
        }
        if (!is_owned(search, status.st_uid, status.st_gid))
                return 0;
        search->found = true;
        if (search->remove && unlinkat(dir_fd, name, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) < 0)
                note_error(search, -errno, what);
        return 0;
}

/* Takes the descriptor. */
static int search_directory(IpcSearch *search, int dir_fd, const char *what, unsigned depth) {
        _cleanup_(directory_closep) DIR *directory = fdopendir(dir_fd);

        if (!directory) {
                const int r = -errno;

                (void)fd_close(dir_fd);
                return r;
        }
        for (;;) {
                errno = 0;
                const struct dirent *const entry = readdir(directory);
                if (!entry)
                        return -errno;
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                const int r = search_entry(search, dirfd(directory), entry->d_name, what, depth);
                if (r < 0)
                        return r;
        }
}

static int search_shared_memory(IpcSearch *search) {
        const int fd = open(SHARED_MEMORY_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return search_directory(search, fd, "a file in " SHARED_MEMORY_PATH, 0);
}

/* A mount that nobody sees shows the queues of our namespace. */
static int search_queues(IpcSearch *search) {
        _cleanup_(fd_closep) int context_fd = -EBADF, mount_fd = -EBADF;

        context_fd = fsopen("mqueue", FSOPEN_CLOEXEC);
        if (context_fd < 0)
                return errno == ENODEV ? 0 : -errno;
        if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        mount_fd = fsmount(context_fd, FSMOUNT_CLOEXEC, 0);
        if (mount_fd < 0)
                return -errno;
        const int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : search_directory(search, fd, "a POSIX message queue", 0);
}

static int search_all(IpcSearch *search) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(system_v_kinds); i++)
                r = search_system_v(search, &system_v_kinds[i]);
        if (r >= 0)
                r = search_shared_memory(search);
        if (r >= 0)
                r = search_queues(search);
        return r;
}

int ipc_objects_exist(uid_t uid) {
        IpcSearch search = { .uid = uid };

        const int r = search_all(&search);
        return r < 0 ? r : search.found;
}

int ipc_objects_remove(uid_t uid, Reason *reason) {
        IpcSearch search = { .uid = uid, .remove = true, .reason = reason };

        if (uid == 0)
                return -EINVAL;
        const int r = search_all(&search);
        if (search.error < 0)
                return search.error;
        return r < 0 ? reason_set(reason, r, "Cannot look for what user %u left in the kernel: %m",
                                  (unsigned)uid)
                     : 0;
}
