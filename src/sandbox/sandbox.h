/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a process may see and do. A policy (data) is turned into a list of operations (data) that prints itself, and that
 * a child process carries out before it executes the command. Used for package managers and scripts in builds, and for
 * services. It takes the capabilities of root, which those of a user namespace are as well.
 *
 * What it is good for: what runs inside does not touch the host by accident, finds the same surroundings on every host,
 * and leaves nothing behind. It is no prison for root with CAP_SYS_ADMIN, which package managers need, outside of a user
 * namespace. no_new_privs is not set: set-user-ID programs are part of what is installed, and scripts call su and sudo. */

#include <stdio.h>

#include "base/macro.h"
#include "base/reason.h"

typedef enum SandboxMountType {
        SANDBOX_BIND, /* source (host path) on target */
        SANDBOX_BIND_READ_ONLY,
        SANDBOX_TMPFS,   /* options as for mount(2), "mode=0755" */
        SANDBOX_DEV,     /* minimal /dev: null zero full random urandom tty, ptmx, pts, shm, fd links */
        SANDBOX_PROC,    /* of the new PID namespace */
        SANDBOX_SYS,     /* read-only */
        SANDBOX_CGROUP,  /* control groups (version 2), from SandboxPolicy.cgroup down */
        SANDBOX_OVERLAY, /* options "lowerdir=…,upperdir=…,workdir=…" */
} SandboxMountType;

/* Targets are inside the new root, links in them are followed and never lead outside of it. Missing targets are made,
 * also where a link leads to nothing ("/etc/resolv.conf" into an empty /run), and removed again afterwards if they are
 * still empty, so that the tree is left as it was. Only when we die of SIGKILL they stay. */
typedef struct SandboxMount {
        SandboxMountType type;
        const char *source, *target, *options;
        bool optional;  /* of binds: skipped when the source does not exist */
        bool recursive; /* binds take what is mounted below along */
} SandboxMount;

typedef struct SandboxPolicy {
        const char *root; /* directory that becomes "/"; "/" for the host's own, then read-only is advised */
        const char *name; /* what reasons call it; NULL: its path */
        bool root_read_only;
        const SandboxMount *mounts; /* in this order, after the root is in place */
        size_t n_mounts;
        bool network;                  /* the host's network; otherwise a namespace of its own with only lo */
        bool suppress_sync;            /* for trees that are thrown away if the run dies, see below */
        const char *hostname;          /* NULL: "localhost" */
        const char *working_directory; /* inside; NULL: "/" */
        const char *const *environment; /* NULL-terminated "NAME=value": all there is, nothing is inherited */
        uint64_t capabilities; /* bounding set, bit n is capability n; 0: SANDBOX_CAPABILITIES_PACKAGES */
        bool new_session;      /* no controlling terminal of ours */
        bool terminal;         /* with new_session: standard input becomes the controlling terminal */
        const char *cgroup; /* directory of a cgroup that all will be in, and see as the root; NULL: ours */
        const char *binfmt; /* a line for binfmt_misc, see below; NULL: none */
        bool init;          /* the command is process 1 itself, and may use reboot(2), see sandbox_run() */
} SandboxPolicy;

/* With binfmt ("Binfmt" of sandbox/binfmt.h) programs of another machine run in the sandbox, as the line says, whatever is
 * registered on the host. The command is root of a user namespace then, in which everybody is who he is outside: it makes
 * no device nodes. The tree needs a /proc (SANDBOX_PROC). */

/* suppress_sync makes fsync, fdatasync, sync, syncfs, sync_file_range and msync with MS_SYNC succeed without doing anything,
 * for programs of all architectures that the kernel runs. Regular files are opened without O_SYNC and O_DSYNC, by
 * sandbox_run() on behalf of whoever asked with root's usual file capabilities; devices, and files opened with fewer
 * capabilities or by 32-bit x32 programs, keep the flags. pwritev2() with RWF_SYNC or RWF_DSYNC is EOPNOTSUPP and io_uring
 * is not there (ENOSYS), so that programs take another way; only the old AIO interface still reaches the disk. */

/* What package managers and maintainer scripts need: files of any owner, device nodes, chroot, mounts of their own
 * inside; no module loading, clock, raw I/O, tracing outside, reboot. */
extern const uint64_t SANDBOX_CAPABILITIES_PACKAGES;

/* What a whole system needs that runs inside as it would on a machine: to the former, what affects nothing but its own
 * processes and its own network. */
extern const uint64_t SANDBOX_CAPABILITIES_SYSTEM;
/* Of these, what configures the network. */
extern const uint64_t SANDBOX_CAPABILITIES_NETWORK;

typedef struct Sandbox Sandbox;

/* Decides: checks the policy and makes the list of operations. */
int sandbox_new(const SandboxPolicy *policy, Sandbox **ret, Reason *reason);
void sandbox_free(Sandbox *sandbox);
DEFINE_CLEANUP(Sandbox, sandbox_free)

/* One operation per line: "bind-read-only /etc/resolv.conf on /etc/resolv.conf". */
void sandbox_print(const Sandbox *sandbox, FILE *file);

/* How reboot(2) ends a PID namespace, as the status of its process 1: by SIGINT and SIGHUP. */
#define SANDBOX_POWER_OFF (128 + 2) /* or halt */
#define SANDBOX_REBOOT    (128 + 1)

#define SANDBOX_KILLED (128 + 9)

/* What a command may do when SIGINT, SIGTERM or SIGHUP comes to us, instead of being killed at once. */
typedef struct SandboxStop {
        int signal; /* sent to process 1 at the first one, if the policy says `init`; SIGRTMIN + 3 is what systemd halts for */
        uint64_t time_ms;      /* how long it has to end then; it is killed as well when the next one comes */
        void (*on_stop)(void); /* called when that begins; NULL: nobody wants to know */
        int kill_fd; /* when it becomes readable, all is killed at once: SANDBOX_KILLED; -EBADF: none */
} SandboxStop;

/* As shells say it. */
#define SANDBOX_NOT_FOUND      127
#define SANDBOX_NOT_EXECUTABLE 126

typedef struct SandboxCommand {
        const char *const *argv; /* argv[0] is looked up in the PATH of the environment, inside */
        int stdin_fd;            /* -EBADF: /dev/null */
        int output_fd;           /* standard output and error; -EBADF: ours */
        int data_fd; /* standard output alone, when it is data: output is then what standard error says; -EBADF: no */
        /* Called for every line of output when not NULL; the output is also written to output_fd if that is given, as far as
         * that is possible. The line comes without its end, in pieces of 8 KiB if it is longer, and with blanks for NULs. */
        void (*on_line)(const char *line, void *userdata);
        void *userdata;
        const SandboxStop *stop; /* NULL: all is killed at once */
        /* When not NULL and all is well but for the command, which cannot be executed: SANDBOX_NOT_FOUND or
         * SANDBOX_NOT_EXECUTABLE. Otherwise it is left alone. */
        int *execute_status;
} SandboxCommand;

/* Does it: runs the command in new namespaces as described, waits for it, and reaps or kills everything it left behind.
 * Returns the exit status (0…255; 128 + n for a command killed by signal n). -EINTR after a signal to us
 * (base/interrupt.h), with everything inside killed and reaped, but for a command that was asked to stop and did; another
 * negative errno when the sandbox or the command could not be set up, with the operation named in the reason. If the
 * calling thread dies, everything inside dies. No other thread may run while a sandbox is started: the child allocates
 * memory. */
int sandbox_run(const Sandbox *sandbox, const SandboxCommand *command, Reason *reason);
