/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module libnss_mkosi.so.2 of the name service, nss(5): dynamic users have names and numbers for everybody as long as they
 * exist. It lives in the processes of others: it needs no library but libc, allocates nothing, keeps nothing open, and says
 * what it knows out of the links that dynamic-user.h describes, which all may read. */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/dynamic-user.h"
#include "user/nss-mkosi.h"

static const char *const registries[] = { "/run/mkosi/dynamic-uid", "/run/systemd/dynamic-uid" };

/* The name service is asked by the manager's own helper whether a number is somebody else's. */
static bool is_bypassed(void) {
        return secure_getenv("MKOSI_NSS_BYPASS") || secure_getenv("SYSTEMD_NSS_DYNAMIC_BYPASS");
}

/* Letters, digits, '_' and '-', as user-name.h has it: never a path. */
static bool is_name(const char *name) {
        const size_t length = strnlen(name, LOGIN_NAME_MAX);

        if (length == 0 || length > 31 || (name[0] >= '0' && name[0] <= '9') || name[0] == '-')
                return false;
        return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

/* Reads the link of that name; false when there is none, or it leads to more than there is room for. */
static bool read_link(const char *registry, const char *name, char *target, size_t size) {
        char path[128];

        if (snprintf(path, sizeof(path), "%s/direct:%s", registry, name) >= (int)sizeof(path))
                return false;
        const ssize_t n = readlink(path, target, size - 1);
        if (n <= 0 || (size_t)n >= size - 1)
                return false;
        target[n] = '\0';
        return true;
}

/* Where the link leads, in the first registry in which the link of that leads back. */
static bool follow(const char *name, char *target, size_t size) {
        for (size_t i = 0; i < ELEMENTSOF(registries); i++) {
                char back[40];

                if (read_link(registries[i], name, target, size) && !strchr(target, '/') &&
                    read_link(registries[i], target, back, sizeof(back)) && strcmp(back, name) == 0)
                        return true;
        }
        return false;
}

static bool parse_number(const char *text, uid_t *ret) {
        unsigned long number = 0;

        if (strlen(text) != 5 || strspn(text, "0123456789") != 5)
                return false;
        for (; *text; text++)
                number = number * 10 + (unsigned long)(*text - '0');
        *ret = (uid_t)number;
        return number >= DYNAMIC_USER_FIRST && number <= DYNAMIC_USER_LAST;
}

static bool find_by_name(const char *name, uid_t *ret) {
        char number[16];

        return is_name(name) && follow(name, number, sizeof(number)) && parse_number(number, ret);
}

static bool find_by_number(uid_t uid, char name[static 40]) {
        char number[16];

        if (uid < DYNAMIC_USER_FIRST || uid > DYNAMIC_USER_LAST)
                return false;
        (void)snprintf(number, sizeof(number), "%u", (unsigned)uid);
        return follow(number, name, 40) && is_name(name);
}

/* Puts the text into the caller's buffer, and moves that on; NULL when it is too small. */
static char *put(char **buffer, size_t *size, const char *text) {
        const size_t needed = strlen(text) + 1;
        char *place = *buffer;

        if (needed > *size)
                return NULL;
        memcpy(place, text, needed);
        *buffer += needed;
        *size -= needed;
        return place;
}

static enum nss_status too_small(int *errnop) {
        *errnop = ERANGE;
        return NSS_STATUS_TRYAGAIN;
}

static enum nss_status not_found(int *errnop) {
        *errnop = ENOENT;
        return NSS_STATUS_NOTFOUND;
}

static enum nss_status fill_user(const char *name, uid_t uid, struct passwd *ret, char *buffer, size_t size,
                                 int *errnop) {
        struct passwd user = { .pw_uid = uid, .pw_gid = (gid_t)uid };

        user.pw_name = put(&buffer, &size, name);
        user.pw_passwd = put(&buffer, &size, "*"); /* nobody logs in */
        user.pw_gecos = put(&buffer, &size, "Dynamic User");
        user.pw_dir = put(&buffer, &size, "/");
        user.pw_shell = put(&buffer, &size, "/usr/sbin/nologin");
        if (!user.pw_name || !user.pw_passwd || !user.pw_gecos || !user.pw_dir || !user.pw_shell)
                return too_small(errnop);
        *ret = user;
        return NSS_STATUS_SUCCESS;
}

static enum nss_status fill_group(const char *name, gid_t gid, struct group *ret, char *buffer, size_t size,
                                  int *errnop) {
        const size_t misaligned = (uintptr_t)buffer % _Alignof(char *);
        const size_t padding = misaligned > 0 ? _Alignof(char *) - misaligned : 0;
        struct group group = { .gr_gid = gid };

        /* The list of members, which has none, stands first: pointers have to be aligned. */
        if (size < padding + sizeof(char *))
                return too_small(errnop);
        group.gr_mem = (char **)(void *)(buffer + padding);
        group.gr_mem[0] = NULL;
        buffer += padding + sizeof(char *);
        size -= padding + sizeof(char *);
        group.gr_name = put(&buffer, &size, name);
        group.gr_passwd = put(&buffer, &size, "*");
        if (!group.gr_name || !group.gr_passwd)
                return too_small(errnop);
        *ret = group;
        return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_mkosi_getpwnam_r(const char *name, struct passwd *ret, char *buffer, size_t size,
                                      int *errnop) {
        uid_t uid;

        if (is_bypassed() || !find_by_name(name, &uid))
                return not_found(errnop);
        return fill_user(name, uid, ret, buffer, size, errnop);
}

enum nss_status _nss_mkosi_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop) {
        char name[40];

        if (is_bypassed() || !find_by_number(uid, name))
                return not_found(errnop);
        return fill_user(name, uid, ret, buffer, size, errnop);
}

enum nss_status _nss_mkosi_getgrnam_r(const char *name, struct group *ret, char *buffer, size_t size,
                                      int *errnop) {
        uid_t uid;

        if (is_bypassed() || !find_by_name(name, &uid))
                return not_found(errnop);
        return fill_group(name, (gid_t)uid, ret, buffer, size, errnop);
}

enum nss_status _nss_mkosi_getgrgid_r(gid_t gid, struct group *ret, char *buffer, size_t size, int *errnop) {
        char name[40];

        if (is_bypassed() || !find_by_number((uid_t)gid, name))
                return not_found(errnop);
        return fill_group(name, gid, ret, buffer, size, errnop);
}
