/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures by gpg(1) of the host, with the keys of whoever builds ($GNUPGHOME, $HOME). */

#include "base/macro.h"
#include "config/config.h"

/* Appends what stands against signing: there is no gpg, or no such secret key. */
int gnupg_check(const Config *config, char ***problems);

/* Writes a binary detached signature of what is read from one descriptor to the other. Failures are logged. */
int gnupg_sign(const Config *config, int from_fd, int to_fd);

/* Has gpg look at a detached signature of the file, and write what it finds (GnuPG's doc/DETAILS, "--status-fd") to the
 * descriptor. -ENOENT when there is no gpg; its exit status tells less than what it wrote. */
int gnupg_verify(const Config *config, const char *signature, const char *path, int status_fd);
