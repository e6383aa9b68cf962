/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "user/user-name.h"
#include "user/user-record.h"

/* The record of a user, or of its group. */
typedef struct RecordKind {
        const char *suffix;
        const char *name_key, *number_key;
        bool is_user;
} RecordKind;

static const RecordKind kinds[] = {
        { "user", "userName", "uid", true },
        { "group", "groupName", "gid", false },
};

static int record_make(const RecordKind *kind, const char *name, uid_t uid, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        JsonWriter writer = { .file = file };

        json_begin_object(&writer, NULL);
        json_text(&writer, kind->name_key, name);
        json_number(&writer, kind->number_key, uid);
        if (kind->is_user) {
                json_number(&writer, "gid", uid);
                json_text(&writer, "realName", "Dynamic User");
                json_text(&writer, "homeDirectory", "/");
                json_text(&writer, "shell", "/usr/sbin/nologin");
                json_bool(&writer, "locked", true);
        }
        json_text(&writer, "disposition", "dynamic");
        json_text(&writer, "service", "io.mkosi.DynamicUser");
        json_end_object(&writer);
        if (fclose(file) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static int put_in_place(int dir_fd, const char *temporary, const char *name) {
        if (renameat(dir_fd, temporary, dir_fd, name) == 0)
                return 0;
        const int r = -errno;
        (void)unlinkat(dir_fd, temporary, 0);
        return r;
}

/* What the files of one record are called. */
typedef struct RecordNames {
        char by_name[USER_NAME_SIZE_MAX + 8], by_number[24], temporary[32];
} RecordNames;

static RecordNames record_names(const RecordKind *kind, const char *name, uid_t uid) {
        RecordNames names;

        assert(user_name_is_valid(name));
        (void)snprintf(names.by_name, sizeof(names.by_name), "%s.%s", name, kind->suffix);
        (void)snprintf(names.by_number, sizeof(names.by_number), "%u.%s", (unsigned)uid, kind->suffix);
        (void)snprintf(names.temporary, sizeof(names.temporary), ".#%u.%s", (unsigned)uid, kind->suffix);
        return names;
}

static int record_write(int dir_fd, const RecordKind *kind, const char *name, uid_t uid) {
        const RecordNames names = record_names(kind, name, uid);
        _cleanup_(freep) char *text = NULL;

        int r = record_make(kind, name, uid, &text);
        if (r < 0)
                return r;
        (void)unlinkat(dir_fd, names.temporary, 0);
        r = file_write_text(dir_fd, names.temporary, text, 0644);
        if (r >= 0)
                r = put_in_place(dir_fd, names.temporary, names.by_name);
        if (r < 0)
                return r;
        r = symlinkat(names.by_name, dir_fd, names.temporary) < 0
                    ? -errno
                    : put_in_place(dir_fd, names.temporary, names.by_number);
        if (r < 0)
                (void)unlinkat(dir_fd, names.by_name, 0);
        return r;
}

static void record_remove(int dir_fd, const RecordKind *kind, const char *name, uid_t uid) {
        const RecordNames names = record_names(kind, name, uid);
        char target[sizeof(names.by_name)];

        const ssize_t n = readlinkat(dir_fd, names.by_number, target, sizeof(target) - 1);
        if (n < 0)
                return;
        target[n] = '\0';
        if (!text_equal(target, names.by_name))
                return;
        (void)unlinkat(dir_fd, names.by_number, 0);
        (void)unlinkat(dir_fd, names.by_name, 0);
}

void user_record_remove(int dir_fd, const char *name, uid_t uid) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                record_remove(dir_fd, &kinds[i], name, uid);
}

int user_record_write(int dir_fd, const char *name, uid_t uid) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const int r = record_write(dir_fd, &kinds[i], name, uid);
                if (r < 0) {
                        user_record_remove(dir_fd, name, uid);
                        return r;
                }
        }
        return 0;
}
