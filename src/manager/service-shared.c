/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "exec/network-namespace.h"
#include "manager/service-shared.h"
#include "manager/unit-log.h"
#include "manager/unit-state.h"

#define NAMES_MAX 16 /* as often as others may have made something of a name that cannot be guessed */

struct SharedTmp {
        unsigned n_services;
        PrivateTmp paths;
        LIST_ENTRY(SharedTmp) tmps;
};

struct SharedNetwork {
        unsigned n_services;
        int storage_fd;
        char *pin;
        bool is_left; /* to the next manager: one that had it had not ended */
        LIST_ENTRY(SharedNetwork) networks;
};

typedef bool (*ServiceTest)(const Service *service);

/* A service that this one says it joins, or that says so of this one, and that passes the test. */
static Service *find_joined(const Service *service, ServiceTest test) {
        const ManagedUnit *const unit = service->unit;
        Edge *edge;

        LIST_FOREACH(edge, &unit->out[EDGE_JOINS], out)
        if (edge->to->service && test(edge->to->service))
                return edge->to->service;
        LIST_FOREACH(edge, &unit->in[EDGE_JOINS], in)
        if (edge->from->service && test(edge->from->service))
                return edge->from->service;
        return NULL;
}

static bool has_tmp(const Service *service) {
        return service->tmp;
}

static bool has_network(const Service *service) {
        return service->network;
}

static void tmp_free(SharedTmp *tmp) {
        LIST_REMOVE(tmp, tmps);
        private_tmp_done(&tmp->paths);
        free(tmp);
}

static int tmp_new(Manager *manager, SharedTmp **ret) {
        SharedTmp *const tmp = calloc(1, sizeof(SharedTmp));

        if (!tmp)
                return -ENOMEM;
        tmp->n_services = 1;
        LIST_INSERT_HEAD(&manager->tmps, tmp, tmps);
        *ret = tmp;
        return 0;
}

/* They are noted before they are made: whenever the manager is killed, the next one knows of them. */
static int paths_make(const ManagedUnit *unit, PrivateTmp *paths, Reason *reason) {
        for (unsigned i = 1;; i++) {
                _cleanup_(reason_done) Reason why = {};

                int r = private_tmp_choose(unit->name, paths);
                if (r >= 0)
                        r = unit_state_note_tmp(unit, paths);
                if (r >= 0)
                        r = private_tmp_make(paths, &why);
                if (r >= 0)
                        return 0;
                if (r != -EEXIST || i >= NAMES_MAX)
                        return reason_set(reason, r, "%s", reason_text(&why, r));
                private_tmp_done(paths);
        }
}

int shared_tmp_get(Service *service, SharedTmp **ret, Reason *reason) {
        const Service *const joined = find_joined(service, has_tmp);
        SharedTmp *tmp;

        if (joined) {
                joined->tmp->n_services++;
                *ret = joined->tmp;
                return 0;
        }
        int r = tmp_new(service->unit->manager, &tmp);
        if (r < 0)
                return r;
        r = paths_make(service->unit, &tmp->paths, reason);
        if (r < 0) {
                tmp_free(tmp);
                return r;
        }
        *ret = tmp;
        return 0;
}

/* Whatever ties there are: those who shared it may have been tied by a third one that has ended. */
static SharedTmp *tmp_find(const Manager *manager, const char *path) {
        SharedTmp *tmp;

        LIST_FOREACH(tmp, &manager->tmps, tmps)
        if (text_equal(tmp->paths.tmp, path))
                return tmp;
        return NULL;
}

int shared_tmp_adopt(Service *service, const char *path, const char *var_path, SharedTmp **ret) {
        Manager *const manager = service->unit->manager;
        SharedTmp *tmp = tmp_find(manager, path);

        if (tmp) {
                tmp->n_services++;
                *ret = tmp;
                return 0;
        }
        int r = tmp_new(manager, &tmp);
        if (r < 0)
                return r;
        r = text_copy(path, &tmp->paths.tmp);
        if (r >= 0)
                r = text_copy(var_path, &tmp->paths.var_tmp);
        if (r < 0) {
                tmp_free(tmp);
                return r;
        }
        *ret = tmp;
        return 0;
}

void shared_tmp_put(SharedTmp *tmp) {
        if (tmp && --tmp->n_services == 0)
                tmp_free(tmp);
}

const PrivateTmp *shared_tmp_paths(const SharedTmp *tmp) {
        return tmp ? &tmp->paths : NULL;
}

bool shared_tmp_is_last(const SharedTmp *tmp) {
        return tmp->n_services == 1;
}

static void network_free(SharedNetwork *network) {
        LIST_REMOVE(network, networks);
        (void)fd_close(network->storage_fd);
        free(network->pin);
        free(network);
}

static int network_new(Manager *manager, const char *id, SharedNetwork **ret) {
        SharedNetwork *const network = calloc(1, sizeof(SharedNetwork));

        if (!network)
                return -ENOMEM;
        network->n_services = 1;
        network->storage_fd = -EBADF;
        LIST_INSERT_HEAD(&manager->networks, network, networks);
        int r = text_format(&network->pin, "%s/" SHARED_NETWORK_PINS "/%s", manager->paths.runtime, id);
        if (r >= 0)
                r = network_namespace_storage_new(&network->storage_fd);
        if (r < 0) {
                network_free(network);
                return r;
        }
        *ret = network;
        return 0;
}

int shared_network_get(Service *service, SharedNetwork **ret) {
        const Service *const joined = find_joined(service, has_network);

        if (!joined)
                return network_new(service->unit->manager, service->unit->invocation, ret);
        joined->network->n_services++;
        *ret = joined->network;
        return 0;
}

static SharedNetwork *network_find(const Manager *manager, const char *id) {
        SharedNetwork *network;

        LIST_FOREACH(network, &manager->networks, networks)
        if (text_equal(shared_network_id(network), id))
                return network;
        return NULL;
}

int shared_network_adopt(Service *service, const char *id, SharedNetwork **ret) {
        ManagedUnit *const unit = service->unit;
        /* A manager that noted none has pinned nothing. */
        const bool was_pinned = !text_is_empty(id);
        SharedNetwork *network = was_pinned ? network_find(unit->manager, id) : NULL;

        if (network) {
                network->n_services++;
                *ret = network;
                return 0;
        }
        int r = network_new(unit->manager, was_pinned ? id : unit->invocation, &network);
        if (r < 0)
                return r;
        r = network_namespace_find(network->storage_fd, was_pinned ? network->pin : NULL);
        if (r < 0 && r != -ENXIO) {
                shared_network_put(network, false);
                return r;
        }
        if (r < 0)
                unit_log(unit, LOG_WARNING,
                         "%s: The network namespace that it was started in is lost; what is to be run in it "
                         "fails until the unit is restarted",
                         unit->name);
        *ret = network;
        return 0;
}

void shared_network_put(SharedNetwork *network, bool ended) {
        if (!network)
                return;
        network->is_left = network->is_left || !ended;
        if (--network->n_services > 0)
                return;
        if (!network->is_left)
                network_namespace_unpin(network->pin);
        network_free(network);
}

const char *shared_network_id(const SharedNetwork *network) {
        return network ? path_base_name(network->pin) : "";
}

const char *shared_network_pin(const SharedNetwork *network) {
        return network ? network->pin : NULL;
}

int shared_network_storage(const SharedNetwork *network) {
        return network ? network->storage_fd : -EBADF;
}
