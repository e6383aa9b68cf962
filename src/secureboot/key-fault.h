/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a private key cannot be loaded. OpenSSL tries one form after another, and in the end says of none what was wrong
 * with it; here the file is taken apart step by step. */

#include "base/reason.h"
#include "base/secret.h"

/* Looks at the text of a file that no key could be loaded from, with this passphrase or none (NULL). PRIVATE_KEY_LOCKED and
 * PRIVATE_KEY_WRONG_PASSPHRASE when that is all there is; else -EBADMSG, or -ENOTSUP for what OpenSSL does not know,
 * and the reason, which names the path. */
int key_fault_find(const char *path, const Secret *text, const Secret *passphrase, Reason *reason);
