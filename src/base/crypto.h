/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes sure that libcrypto has what this project computes with. A host's openssl.cnf(5) may activate other providers and
 * leave out the one that has SHA-256; digests are no matter of the host's policy, so that one is loaded then. To be called
 * before libcrypto is asked for an algorithm: does something only the first time, in whichever thread. */
void crypto_ensure(void);
