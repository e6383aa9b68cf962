/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verb genkey: new keys with their certificates. */

#include "image/signer.h"

/* Makes the pairs that the words name, by the names of signer_rows. Without words, those that the settings speak of are
 * made, but for pairs that are there already, and that for SecureBoot= when they speak of none. Each lies where the
 * settings say, else where a build looks for it. A key has mode 0600, and is encrypted if there is a file with a
 * passphrase for it. Nothing that exists is replaced, and no key is left without its certificate. Failures are logged;
 * a word that is no name is -EINVAL. */
int generate_keys(const Config *config, const char *const *words);
