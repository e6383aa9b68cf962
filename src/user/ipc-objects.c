/* SPDX-License-Identifier: LGPL-2.1-or-later */

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

#include "base/deep-walk.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/text.h"
#include "user/ipc-objects.h"

#define SHARED_MEMORY_PATH "/dev/shm"

/* Everything is looked at in one way: removing is looking, and deleting what was found. */
typedef struct IpcSearch {
        uid_t uid;
        gid_t gid; /* IPC_GROUP_NONE: what a group has stays */
        bool remove;
        bool found;
        int error; /* the first one */
        Reason *reason;
} IpcSearch;

static bool is_owned(const IpcSearch *search, uid_t uid, gid_t gid) {
        return uid == search->uid || (search->gid != IPC_GROUP_NONE && gid == search->gid);
}

/* Somebody else may have removed it meanwhile. */
static void note_error(IpcSearch *search, int r, const char *what) {
        if (r == -ENOENT || search->error < 0)
                return;
        search->error = reason_set(search->reason, r, "Cannot %s %s of user %u: %m",
                                   search->remove ? "remove" : "look for", what, (unsigned)search->uid);
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
        if (!search->remove)
                return 0;
        const int r = kind->remove((int)id);
        if (r < 0 && r != -EIDRM && r != -EINVAL) /* the number is nobody's any more */
                note_error(search, r, kind->what);
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

/* A file system under way. */
typedef struct FileSearch {
        IpcSearch *search;
        const char *what;
        bool removed; /* since a directory was gone through again */
} FileSearch;

/* A directory that changes while it is read may hide an entry: once more, as long as that is of use. */
static int remove_file(FileSearch *files, const DeepNode *node) {
        if (unlinkat(node->parent_fd, node->name, node->fd >= 0 ? AT_REMOVEDIR : 0) == 0) {
                files->removed = true;
                return DEEP_GO_ON;
        }
        if (errno == ENOTEMPTY && files->removed) {
                files->removed = false;
                return DEEP_AGAIN;
        }
        note_error(files->search, -errno, files->what);
        return DEEP_GO_ON;
}

static int search_file(const DeepNode *node, void *userdata) {
        FileSearch *const files = userdata;
        IpcSearch *const search = files->search;
        struct stat status;

        if (fstatat(node->parent_fd, node->name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
                note_error(search, -errno, files->what);
                return DEEP_GO_ON;
        }
        if (!is_owned(search, status.st_uid, status.st_gid))
                return DEEP_GO_ON;
        search->found = true;
        return search->remove ? remove_file(files, node) : DEEP_END;
}

/* Takes the descriptor. */
static int search_files(IpcSearch *search, int dir_fd, const char *what) {
        FileSearch files = { .search = search, .what = what };

        const int r = deep_walk(dir_fd, &(DeepWalk){ .visit = search_file, .userdata = &files });
        (void)fd_close(dir_fd);
        return MIN(r, 0);
}

static int search_shared_memory(IpcSearch *search) {
        const int fd = open(SHARED_MEMORY_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return search_files(search, fd, "a file in " SHARED_MEMORY_PATH);
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
        return fd < 0 ? -errno : search_files(search, fd, "a POSIX message queue");
}

/* What cannot be looked at keeps nothing else from being looked at. */
static void search_all(IpcSearch *search) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(system_v_kinds); i++) {
                r = search_system_v(search, &system_v_kinds[i]);
                if (r < 0)
                        note_error(search, r, system_v_kinds[i].what);
        }
        r = search_shared_memory(search);
        if (r < 0)
                note_error(search, r, SHARED_MEMORY_PATH);
        r = search_queues(search);
        if (r < 0)
                note_error(search, r, "POSIX message queues");
}

int ipc_objects_exist(uid_t uid) {
        IpcSearch search = { .uid = uid, .gid = (gid_t)uid };

        search_all(&search);
        return search.found ? 1 : search.error;
}

int ipc_objects_remove(uid_t uid, gid_t gid, Reason *reason) {
        IpcSearch search = {
                .uid = uid,
                .gid = gid == 0 ? IPC_GROUP_NONE : gid,
                .remove = true,
                .reason = reason,
        };

        if (uid == 0)
                return -EINVAL;
        search_all(&search);
        return search.error;
}
