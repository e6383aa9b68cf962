/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/network-namespace.h"
#include "manager/service-shared.h"

struct SharedTmp {
        unsigned n_services;
        PrivateTmp paths;
};

struct SharedNetwork {
        unsigned n_services;
        int storage_fd;
};

typedef bool (*ServiceTest)(const Service *service, const void *userdata);

/* A service that this one says it joins, or that says so of this one, and that passes the test. */
static Service *find_joined(const Service *service, ServiceTest test, const void *userdata) {
        const ManagedUnit *const unit = service->unit;
        Edge *edge;

        LIST_FOREACH(edge, &unit->out[EDGE_JOINS], out)
        if (edge->to->service && test(edge->to->service, userdata))
                return edge->to->service;
        LIST_FOREACH(edge, &unit->in[EDGE_JOINS], in)
        if (edge->from->service && test(edge->from->service, userdata))
                return edge->from->service;
        return NULL;
}

static bool has_tmp(const Service *service, const void *userdata) {
        return service->tmp;
}

static bool has_network(const Service *service, const void *userdata) {
        return service->network;
}

int shared_tmp_get(Service *service, SharedTmp **ret, Reason *reason) {
        const Service *const joined = find_joined(service, has_tmp, NULL);
        SharedTmp *tmp;

        if (joined) {
                joined->tmp->n_services++;
                *ret = joined->tmp;
                return 0;
        }
        tmp = calloc(1, sizeof(SharedTmp));
        if (!tmp)
                return -ENOMEM;
        tmp->n_services = 1;
        const int r = private_tmp_make(service->unit->name, &tmp->paths, reason);
        if (r < 0) {
                free(tmp);
                return r;
        }
        *ret = tmp;
        return 0;
}

static bool has_this_tmp(const Service *service, const void *userdata) {
        return service->tmp && text_equal(service->tmp->paths.tmp, userdata);
}

int shared_tmp_adopt(Service *service, const char *path, const char *var_path, SharedTmp **ret) {
        const Service *const joined = find_joined(service, has_this_tmp, path);
        SharedTmp *tmp;

        if (joined) {
                joined->tmp->n_services++;
                *ret = joined->tmp;
                return 0;
        }
        tmp = calloc(1, sizeof(SharedTmp));
        if (!tmp)
                return -ENOMEM;
        tmp->n_services = 1;
        int r = text_copy(path, &tmp->paths.tmp);
        if (r >= 0)
                r = text_copy(var_path, &tmp->paths.var_tmp);
        if (r < 0) {
                shared_tmp_put(tmp);
                return r;
        }
        *ret = tmp;
        return 0;
}

void shared_tmp_put(SharedTmp *tmp) {
        if (!tmp || --tmp->n_services > 0)
                return;
        private_tmp_done(&tmp->paths);
        free(tmp);
}

const PrivateTmp *shared_tmp_paths(const SharedTmp *tmp) {
        return tmp ? &tmp->paths : NULL;
}

bool shared_tmp_is_last(const SharedTmp *tmp) {
        return tmp->n_services == 1;
}

static int network_new(SharedNetwork **ret) {
        SharedNetwork *const network = calloc(1, sizeof(SharedNetwork));

        if (!network)
                return -ENOMEM;
        network->n_services = 1;
        const int r = network_namespace_storage_new(&network->storage_fd);
        if (r < 0) {
                free(network);
                return r;
        }
        *ret = network;
        return 0;
}

int shared_network_get(Service *service, SharedNetwork **ret) {
        const Service *const joined = find_joined(service, has_network, NULL);

        if (!joined)
                return network_new(ret);
        joined->network->n_services++;
        *ret = joined->network;
        return 0;
}

/* Puts a descriptor where helpers look for one. */
static int storage_fill(int storage_fd, int fd) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = {};
        char text[] = "netns";
        struct iovec vector = { .iov_base = text, .iov_len = sizeof(text) };
        const struct msghdr message = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };

        control.header = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS,
                .cmsg_len = CMSG_LEN(sizeof(int)),
        };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        return sendmsg(storage_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

typedef struct NamespaceId {
        dev_t device;
        ino_t inode;
} NamespaceId;

static int namespace_open(pid_t member, NamespaceId *ret_id) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)member);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        *ret_id = (NamespaceId){ status.st_dev, status.st_ino };
        return TAKE_FD(fd);
}

static bool is_in_network(const Service *service, const void *userdata) {
        const NamespaceId *const wanted = userdata;
        _cleanup_(fd_closep) int fd = -EBADF;
        NamespaceId id;

        if (!service->network || !service->main)
                return false;
        fd = namespace_open(service->main->pid, &id);
        return fd >= 0 && id.device == wanted->device && id.inode == wanted->inode;
}

int shared_network_adopt(Service *service, pid_t member, SharedNetwork **ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        NamespaceId id;

        fd = namespace_open(member, &id);
        if (fd < 0)
                return fd;
        const Service *const joined = find_joined(service, is_in_network, &id);
        if (joined) {
                joined->network->n_services++;
                *ret = joined->network;
                return 0;
        }
        SharedNetwork *network;
        int r = network_new(&network);
        if (r < 0)
                return r;
        r = storage_fill(network->storage_fd, fd);
        if (r < 0) {
                shared_network_put(network);
                return r;
        }
        *ret = network;
        return 0;
}

void shared_network_put(SharedNetwork *network) {
        if (!network || --network->n_services > 0)
                return;
        (void)fd_close(network->storage_fd);
        free(network);
}

int shared_network_storage(const SharedNetwork *network) {
        return network ? network->storage_fd : -EBADF;
}
