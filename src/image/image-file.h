/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files on their way to being results. */

#include "image/image.h"

/* Logs "WHAT: WHY", and when the disk is full how much is free where and what can be done; why is the reason, or, where that
 * is NULL or empty, the text of r. Returns r, a negative errno. */
int image_file_fail(const Image *image, int r, const Reason *reason, const char *what, ...) _printf_(4, 5);

/* Creates a file of the name in the workspace. Failures are logged. */
int image_file_create(const Image *image, const char *name, char **ret_path);

/* What is done to every file that is finished: it reaches the disk, gets the mode that the caller's umask leaves, and belongs
 * to who called sudo. If check sums are wanted, they are computed meanwhile. Then it is an artefact of the kind. The path is
 * taken over; digest may be NULL, where it is not known yet. Failures are logged. */
int image_file_finish(Image *image, ArtefactKind kind, int fd, char *path, const Sha256Digest *digest);

/* Writes a small file, whole, as an artefact of the kind. */
int image_file_write(Image *image, ArtefactKind kind, const char *data, size_t size);
