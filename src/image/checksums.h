/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA256SUMS: "<64 hexadecimal digits> *<name>" and a newline for each file, as sha256sum --binary and systemd's importd read
 * it (spec 2.6). */

#include "image/artefact.h"

/* The text for all artefacts that have a digest, in their order. A name with a line break is refused, -EILSEQ. */
int checksums_format(const Artefacts *artefacts, char **ret);
