/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/exec-user.h"
#include "manager/service-user.h"
#include "user/user-record.h"

#define LOCK_NAP_NSEC 5000000
#define LOCK_NAPS_MAX 200

struct ServiceUser {
        Manager *manager;
        char *name;
        NameEntry entry;
        unsigned n_services;
        int storage_fd;
        bool left; /* files of it */
};

static void user_free(ServiceUser *user) {
        name_table_remove(&user->manager->users, &user->entry);
        (void)fd_close(user->storage_fd);
        free(user->name);
        free(user);
}

static int user_new(Manager *manager, const char *name, ServiceUser **ret) {
        ServiceUser *const user = calloc(1, sizeof(ServiceUser));

        if (!user)
                return -ENOMEM;
        user->manager = manager;
        user->storage_fd = -EBADF;
        int r = text_copy(name, &user->name);
        if (r >= 0)
                r = user_storage_new(&user->storage_fd);
        if (r >= 0)
                r = name_table_add(&manager->users, &user->entry, user->name, user);
        if (r < 0) {
                user_free(user);
                return r;
        }
        *ret = user;
        return 0;
}

int service_user_get(Manager *manager, const char *name, ServiceUser **ret) {
        ServiceUser *user = name_table_find(&manager->users, name);

        const int r = user ? 0 : user_new(manager, name, &user);
        if (r < 0)
                return r;
        user->n_services++;
        *ret = user;
        return 0;
}

/* No helper is at work for it any more, so that nobody has the lock. */
static void user_release(ServiceUser *user) {
        DynamicUser found = { .lock_fd = -EBADF };

        if (user_storage_take(user->storage_fd, &found) < 0)
                return;
        user_record_remove(user->manager->records_fd, found.name, found.uid);
        if (user->left)
                dynamic_user_leave(user->manager->registry_fd, &found);
        else
                dynamic_user_release(user->manager->registry_fd, &found);
}

void service_user_note_left(ServiceUser *user) {
        if (user)
                user->left = true;
}

void service_user_put(ServiceUser *user) {
        if (!user || --user->n_services > 0)
                return;
        user_release(user);
        user_free(user);
}

void service_user_leave(ServiceUser *user) {
        if (user && --user->n_services == 0)
                user_free(user);
}

bool service_user_is_last(const ServiceUser *user) {
        return user->n_services == 1;
}

const char *service_user_name(const ServiceUser *user) {
        return user->name;
}

bool service_user_is_dynamic(const ServiceUser *user) {
        return user && user_storage_has(user->storage_fd);
}

int service_user_storage(const ServiceUser *user) {
        return user ? user->storage_fd : -EBADF;
}

/* 1 when it is locked now, 0 when it was, since another service of it was found before. */
static int adopt_number(const ServiceUser *user, uid_t uid, DynamicUser *ret) {
        const struct timespec nap = { .tv_nsec = LOCK_NAP_NSEC };

        if (user_storage_has(user->storage_fd))
                return 0;
        /* A helper of the manager before has the lock as well, until it executes what it is to execute. */
        for (unsigned i = 0;; i++) {
                const int r = dynamic_user_adopt(user->manager->registry_fd, uid, ret);

                if (r != -EBUSY || i >= LOCK_NAPS_MAX)
                        return r < 0 ? r : 1;
                (void)nanosleep(&nap, NULL);
        }
}

int service_user_adopt(ServiceUser *user, uid_t uid) {
        DynamicUser found = { .lock_fd = -EBADF };

        int r = adopt_number(user, uid, &found);
        if (r <= 0)
                return r;
        if (text_equal(found.name, user->name))
                r = user_record_write(user->manager->records_fd, found.name, uid);
        else
                r = -ESTALE;
        if (r >= 0)
                r = user_storage_put(user->storage_fd, &found);
        dynamic_user_done(&found);
        return r;
}
