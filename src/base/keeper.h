/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A process that has what no other is to have in its memory, a private key for one, and answers requests about it. Whatever is
 * run meanwhile begins as a copy of ourselves, and so does process 1 of every sandbox, which stays one; what only a keeper
 * has is in none of these. Nothing of it is ever wiped, since all of it is gone with the process. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct Keeper Keeper;

/* A request, or the answer to one. */
typedef struct KeeperMessage {
        int what; /* what is wanted; of an answer, what the function answered that gave it */
        uint8_t *bytes;
        size_t size;
} KeeperMessage;

#define KEEPER_MESSAGE_SIZE_MAX (4 * MIB)

void keeper_message_done(KeeperMessage *message);

/* Answers one request, in the keeper: a negative errno with its reason, or how it went and the bytes of the answer, which are
 * freed. */
typedef int (*KeeperServe)(void *userdata, const KeeperMessage *request, KeeperMessage *answer,
                           Reason *reason);

/* Starts a keeper, whose userdata is a copy of what it is here now; secrets (base/secret.h) are empty in it. It ends with this
 * process at the latest, its memory is neither swapped nor dumped, as far as the system allows it, and of what is open
 * it has only standard input, output and error. Not for a process with other threads. */
int keeper_start(KeeperServe serve, void *userdata, Keeper **ret);

/* What serve() answers to the request; ret may be NULL when only that is of interest. -EINTR after an interrupt, and -EPIPE when
 * the keeper is gone; from then on it is of no use. */
int keeper_ask(Keeper *keeper, const KeeperMessage *request, KeeperMessage *ret, Reason *reason);

/* Ends it. */
void keeper_free(Keeper *keeper);
DEFINE_CLEANUP(Keeper, keeper_free)
