/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/keeper.h"
#include "base/secret.h"

#define KEPT_FD 3 /* the keeper's end of the socket, behind the standard descriptors */

struct Keeper {
        pid_t pid; /* 0: there is none */
        int fd;
};

/* What goes ahead of the bytes of a message. */
typedef struct Head {
        int32_t what;
        uint32_t size;
} Head;

void keeper_message_done(KeeperMessage *message) {
        free(message->bytes);
        *message = (KeeperMessage){};
}

/* -EPIPE when nobody is at the other end. */
static int send_all(int fd, const void *bytes, size_t size) {
        for (size_t done = 0; done < size;) {
                const ssize_t n = send(fd, (const uint8_t *)bytes + done, size - done, MSG_NOSIGNAL);

                if (n < 0 && errno != EINTR)
                        return errno == ECONNRESET ? -EPIPE : -errno;
                done += n > 0 ? (size_t)n : 0;
        }
        return 0;
}

static int receive_all(int fd, void *bytes, size_t size) {
        for (size_t done = 0; done < size;) {
                const ssize_t n = recv(fd, (uint8_t *)bytes + done, size - done, 0);

                if (n == 0)
                        return -EPIPE;
                if (n < 0 && errno != EINTR)
                        return errno == ECONNRESET ? -EPIPE : -errno;
                done += n > 0 ? (size_t)n : 0;
        }
        return 0;
}

static int send_message(int fd, int what, const void *bytes, size_t size) {
        const Head head = { .what = what, .size = (uint32_t)size };

        if (size > KEEPER_MESSAGE_SIZE_MAX)
                return -EMSGSIZE;
        const int r = send_all(fd, &head, sizeof(head));
        return r < 0 ? r : send_all(fd, bytes, size);
}

/* Behind the bytes is a NUL that does not count. */
static int receive_message(int fd, KeeperMessage *ret) {
        _cleanup_(keeper_message_done) KeeperMessage message = {};
        Head head;

        int r = receive_all(fd, &head, sizeof(head));
        if (r < 0)
                return r;
        if (head.size > KEEPER_MESSAGE_SIZE_MAX)
                return -EMSGSIZE;
        message = (KeeperMessage){ head.what, calloc(head.size + 1, 1), head.size };
        if (!message.bytes)
                return -ENOMEM;
        r = receive_all(fd, message.bytes, message.size);
        if (r < 0)
                return r;
        *ret = message;
        message = (KeeperMessage){};
        return 0;
}

static int serve_one(KeeperServe serve, void *userdata) {
        _cleanup_(keeper_message_done) KeeperMessage request = {}, answer = {};
        _cleanup_(reason_done) Reason reason = {};

        int r = receive_message(KEPT_FD, &request);
        if (r < 0)
                return r;
        r = serve(userdata, &request, &answer, &reason);
        if (r >= 0)
                return send_message(KEPT_FD, r, answer.bytes, answer.size);
        const char *text = reason_text(&reason, r);
        return send_message(KEPT_FD, r, text, strlen(text));
}

/* In the child. Signals of a terminal are for our parent, who ends us when it has cleaned up. */
static _Noreturn void keep(int fd, pid_t parent, KeeperServe serve, void *userdata) {
        static const int ignored[] = { SIGINT, SIGTERM, SIGHUP };

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(EXIT_FAILURE);
        for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
                (void)signal(ignored[i], SIG_IGN);
        if ((fd != KEPT_FD && dup3(fd, KEPT_FD, O_CLOEXEC) < 0) ||
            close_range(KEPT_FD + 1, UINT_MAX, 0) < 0 || secret_guard_process() < 0)
                _exit(EXIT_FAILURE);
        (void)prctl(PR_SET_NAME, "keeper");
        /* What a user may lock is little; then nothing is locked. */
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);

        while (serve_one(serve, userdata) >= 0)
                ;
        _exit(EXIT_SUCCESS);
}

int keeper_start(KeeperServe serve, void *userdata, Keeper **ret) {
        _cleanup_(keeper_freep) Keeper *keeper = calloc(1, sizeof(*keeper));
        _cleanup_(fd_closep) int child_fd = -EBADF;
        const pid_t parent = getpid();
        int pair[2];

        assert(serve && ret);

        if (!keeper)
                return -ENOMEM;
        keeper->fd = -EBADF;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        keeper->fd = pair[0];
        child_fd = pair[1];
        keeper->pid = fork();
        if (keeper->pid < 0) {
                keeper->pid = 0;
                return -errno;
        }
        if (keeper->pid == 0)
                keep(child_fd, parent, serve, userdata);

        *ret = TAKE_PTR(keeper);
        return 0;
}

/* Deriving a key may take long. */
static int wait_for_answer(const Keeper *keeper) {
        struct pollfd fds[] = { { .fd = keeper->fd, .events = POLLIN },
                                { .fd = interrupt_fd(), .events = POLLIN } };

        for (;;) {
                const int r = interrupt_check();
                if (r < 0)
                        return r;
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return -errno;
                if (fds[0].revents != 0)
                        return 0;
        }
}

int keeper_ask(Keeper *keeper, const KeeperMessage *request, KeeperMessage *ret, Reason *reason) {
        _cleanup_(keeper_message_done) KeeperMessage answer = {};

        assert(keeper && request);

        int r = send_message(keeper->fd, request->what, request->bytes, request->size);
        if (r >= 0)
                r = wait_for_answer(keeper);
        if (r >= 0)
                r = receive_message(keeper->fd, &answer);
        if (r == -EPIPE)
                return reason_set(reason, r, "The process that keeps it has ended");
        if (r < 0)
                return r;
        if (answer.what < 0)
                return reason_set(reason, answer.what, "%s", (const char *)answer.bytes);
        r = answer.what;
        if (ret) {
                *ret = answer;
                answer = (KeeperMessage){};
        }
        return r;
}

void keeper_free(Keeper *keeper) {
        if (!keeper)
                return;
        (void)fd_close(keeper->fd);
        if (keeper->pid > 0) {
                (void)kill(keeper->pid, SIGKILL);
                while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        free(keeper);
}
