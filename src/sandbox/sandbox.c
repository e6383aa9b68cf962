/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>

#include "base/strv.h"
#include "base/text.h"
#include "sandbox/sandbox-binfmt.h"
#include "sandbox/sandbox-cgroup.h"
#include "sandbox/sandbox-filter.h"
#include "sandbox/sandbox-mounts.h"
#include "sandbox/sandbox-namespaces.h"
#include "sandbox/sandbox-operation.h"
#include "sandbox/sandbox-privileges.h"
#include "sandbox/sandbox.h"

#define DEFAULT_HOSTNAME "localhost"

/* What a type of mount needs, and the operation that makes it. */
typedef struct MountKind {
        const SandboxOperationType *type;
        bool has_source, needs_options, read_only;
} MountKind;

/* clang-format off */
static const MountKind mount_kinds[] = {
        [SANDBOX_BIND]           = { &SANDBOX_OPERATION_BIND,           .has_source = true },
        [SANDBOX_BIND_READ_ONLY] = { &SANDBOX_OPERATION_BIND_READ_ONLY, .has_source = true, .read_only = true },
        [SANDBOX_TMPFS]          = { &SANDBOX_OPERATION_TMPFS },
        [SANDBOX_DEV]            = { &SANDBOX_OPERATION_DEV },
        [SANDBOX_PROC]           = { &SANDBOX_OPERATION_PROC },
        [SANDBOX_SYS]            = { &SANDBOX_OPERATION_SYS },
        [SANDBOX_CGROUP]         = { &SANDBOX_OPERATION_CGROUPS },
        [SANDBOX_OVERLAY]        = { &SANDBOX_OPERATION_OVERLAY,        .needs_options = true },
};
/* clang-format on */

/* Appends an empty operation, for the caller to fill in. */
static int sandbox_add(Sandbox *sandbox, const SandboxOperationType *type, SandboxOperation **ret) {
        SandboxOperation *const grown =
                reallocarray(sandbox->operations, sandbox->n_operations + 1, sizeof(SandboxOperation));

        if (!grown)
                return -ENOMEM;
        sandbox->operations = grown;
        SandboxOperation *const operation = &grown[sandbox->n_operations++];
        *operation = (SandboxOperation){ .type = type };
        if (ret)
                *ret = operation;
        return 0;
}

static int check_absolute(const char *path, const char *what, Reason *reason) {
        if (text_is_empty(path) || path[0] != '/')
                return reason_set(reason, -EINVAL, "%s \"%s\" is not an absolute path", what,
                                  path ? path : "");
        return 0;
}

static int sandbox_add_mount(Sandbox *sandbox, const SandboxMount *mount, Reason *reason) {
        SandboxOperation *operation;

        assert((size_t)mount->type < ELEMENTSOF(mount_kinds));
        const MountKind *const kind = &mount_kinds[mount->type];

        int r = check_absolute(mount->target, "Mount target", reason);
        if (r < 0)
                return r;
        if (kind->has_source) {
                r = check_absolute(mount->source, "Mount source", reason);
                if (r < 0)
                        return r;
        }
        if (kind->needs_options && text_is_empty(mount->options))
                return reason_set(reason, -EINVAL, "The %s on %s has no options", kind->type->name,
                                  mount->target);

        r = sandbox_add(sandbox, kind->type, &operation);
        if (r < 0)
                return r;
        operation->optional = mount->optional;
        operation->recursive = mount->recursive;
        operation->read_only = kind->read_only;
        r = text_copy(mount->target, &operation->target);
        if (r >= 0 && kind->has_source)
                r = text_copy(mount->source, &operation->source);
        if (r >= 0)
                r = text_copy(mount->options, &operation->options);
        return r;
}

static int sandbox_add_namespaces(Sandbox *sandbox, const SandboxPolicy *policy) {
        SandboxOperation *operation;

        int r = sandbox_add(sandbox, &SANDBOX_OPERATION_NAMESPACES, &operation);
        if (r < 0)
                return r;
        r = sandbox_namespaces_set(operation, policy->network, policy->cgroup);
        if (r < 0)
                return r;
        if (policy->cgroup) {
                r = sandbox_add(sandbox, &SANDBOX_OPERATION_CGROUP, &operation);
                if (r >= 0)
                        r = text_copy(policy->cgroup, &operation->source);
                if (r < 0)
                        return r;
        }
        if (!policy->network) {
                r = sandbox_add(sandbox, &SANDBOX_OPERATION_LOOPBACK, NULL);
                if (r < 0)
                        return r;
        }
        r = sandbox_add(sandbox, &SANDBOX_OPERATION_HOSTNAME, &operation);
        if (r < 0)
                return r;
        return text_copy(policy->hostname ? policy->hostname : DEFAULT_HOSTNAME, &operation->options);
}

/* While the host's root is there, with its interpreters. */
static int sandbox_add_binfmt(Sandbox *sandbox, const SandboxPolicy *policy) {
        SandboxOperation *operation;

        if (!policy->binfmt)
                return 0;
        const int r = sandbox_add(sandbox, &SANDBOX_OPERATION_BINFMT, &operation);
        return r < 0 ? r : text_copy(policy->binfmt, &operation->options);
}

static int sandbox_add_tree(Sandbox *sandbox, const SandboxPolicy *policy, Reason *reason) {
        SandboxOperation *operation;

        int r = check_absolute(policy->root, "Root directory", reason);
        if (r < 0)
                return r;
        r = sandbox_add(sandbox, &SANDBOX_OPERATION_ROOT, &operation);
        if (r < 0)
                return r;
        operation->read_only = policy->root_read_only;
        r = text_copy(policy->root, &operation->source);
        if (r < 0)
                return r;

        for (size_t i = 0; i < policy->n_mounts; i++) {
                r = sandbox_add_mount(sandbox, &policy->mounts[i], reason);
                if (r < 0)
                        return r;
        }
        if (policy->binfmt) {
                r = sandbox_add(sandbox, &SANDBOX_OPERATION_BINFMT_MOUNT, NULL);
                if (r < 0)
                        return r;
        }
        if (policy->root_read_only) {
                r = sandbox_add(sandbox, &SANDBOX_OPERATION_ROOT_READ_ONLY, NULL);
                if (r < 0)
                        return r;
        }
        return sandbox_add(sandbox, &SANDBOX_OPERATION_ENTER_ROOT, NULL);
}

static int sandbox_add_filter(Sandbox *sandbox, const SandboxOperationType *type) {
        SandboxOperation *operation;

        int r = sandbox_add(sandbox, type, &operation);
        return r < 0 ? r : sandbox_filter_set(operation);
}

/* Filters come before capabilities, because loading them takes CAP_SYS_ADMIN. */
static int sandbox_add_privileges(Sandbox *sandbox, const SandboxPolicy *policy, Reason *reason) {
        SandboxOperation *operation;
        int r = 0;

        if (policy->binfmt) {
                r = sandbox_add(sandbox, &SANDBOX_OPERATION_USER_NAMESPACE, NULL);
                if (r < 0)
                        return r;
        }
        if (policy->new_session) {
                r = sandbox_add(sandbox,
                                policy->terminal ? &SANDBOX_OPERATION_TERMINAL : &SANDBOX_OPERATION_SESSION,
                                NULL);
                if (r < 0)
                        return r;
        }
        r = sandbox_add(sandbox, &SANDBOX_OPERATION_LIMITS, &operation);
        if (r >= 0)
                r = text_copy(SANDBOX_LIMITS_TEXT, &operation->options);
        if (r >= 0)
                r = sandbox_add(sandbox, &SANDBOX_OPERATION_DIRECTORY, &operation);
        if (r >= 0)
                r = text_copy(policy->working_directory ? policy->working_directory : "/",
                              &operation->target);
        if (r < 0)
                return r;

        r = sandbox_add_filter(sandbox, policy->init ? &SANDBOX_OPERATION_FILTER_DENY_INIT
                                                     : &SANDBOX_OPERATION_FILTER_DENY);
        if (r >= 0 && policy->suppress_sync)
                r = sandbox_add_filter(sandbox, &SANDBOX_OPERATION_FILTER_SYNC);
        if (r >= 0 && policy->suppress_sync)
                r = sandbox_add_filter(sandbox, &SANDBOX_OPERATION_FILTER_OPEN);
        if (r < 0)
                return reason_set(reason, r, "Cannot make system call filters: %m");

        r = sandbox_add(sandbox, &SANDBOX_OPERATION_CAPABILITIES, &operation);
        if (r < 0)
                return r;
        return sandbox_capabilities_set(operation, policy->capabilities ? policy->capabilities
                                                                        : SANDBOX_CAPABILITIES_PACKAGES);
}

int sandbox_new(const SandboxPolicy *policy, Sandbox **ret, Reason *reason) {
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;

        assert(policy && ret);

        sandbox = calloc(1, sizeof(*sandbox));
        if (!sandbox)
                return -ENOMEM;
        if (policy->hostname && (text_is_empty(policy->hostname) || strlen(policy->hostname) > HOST_NAME_MAX))
                return reason_set(reason, -EINVAL, "Host name \"%s\" is empty or too long", policy->hostname);
        if (policy->working_directory) {
                int r = check_absolute(policy->working_directory, "Working directory", reason);
                if (r < 0)
                        return r;
        }

        sandbox->init = policy->init;
        int r = strv_copy(policy->environment, &sandbox->environment);
        if (r < 0)
                return r;
        r = sandbox_add_namespaces(sandbox, policy);
        if (r < 0)
                return r;
        r = sandbox_add_binfmt(sandbox, policy);
        if (r < 0)
                return r;
        r = sandbox_add_tree(sandbox, policy, reason);
        if (r < 0)
                return r;
        r = text_copy(policy->name ? policy->name : policy->root, &sandbox->name);
        if (r < 0)
                return r;
        r = sandbox_add_privileges(sandbox, policy, reason);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(sandbox);
        return 0;
}

void sandbox_free(Sandbox *sandbox) {
        if (!sandbox)
                return;
        for (size_t i = 0; i < sandbox->n_operations; i++) {
                SandboxOperation *const operation = &sandbox->operations[i];

                free(operation->source);
                free(operation->target);
                free(operation->options);
                free(operation->program);
        }
        free(sandbox->operations);
        free(sandbox->name);
        strv_free(sandbox->environment);
        free(sandbox);
}

void sandbox_operation_print(const SandboxOperation *operation, FILE *file) {
        (void)fputs(operation->type->name, file);
        if (operation->source)
                (void)fprintf(file, " %s", operation->source);
        if (operation->target)
                (void)fprintf(file, "%s %s", operation->source ? " on" : "", operation->target);
        if (!text_is_empty(operation->options))
                (void)fprintf(file, ": %s", operation->options);
        if (operation->recursive)
                (void)fputs(", recursive", file);
        if (operation->optional)
                (void)fputs(", optional", file);
}

void sandbox_print(const Sandbox *sandbox, FILE *file) {
        for (size_t i = 0; i < sandbox->n_operations; i++) {
                sandbox_operation_print(&sandbox->operations[i], file);
                (void)fputc('\n', file);
        }
}
