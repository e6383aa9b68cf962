/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA256SUMS: "<64 hexadecimal digits> *<name>" and a newline for each file, as sha256sum --binary and systemd's importd read
 * it (spec 2.6). */

#include "image/artefact.h"

/* The text for all artefacts that have a digest, in their order. A name with a line break is refused, -EILSEQ. */
int checksums_format(const Artefacts *artefacts, char **ret);

/* Copies such a text, with another digest for the file of the name, however its line is marked. 1 when there is a line
 * of that name, 0 when there is none, and then nothing is returned. */
int checksums_replace(const char *text, const char *name, const Sha256Digest *digest, char **ret);
