/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What dpkg, apt and debootstrap leave in a tree that no image should have: tables of paths. */

#include "base/macro.h"

/* Documentation that WithDocs=no leaves out, for packages still to come: the text of a file of dpkg.cfg.d. */
extern const char *const apt_without_docs;

/* The same for what is there already. */
int apt_remove_docs(int root_fd);

/* Lists, archives, logs and caches: what an image does without, or what no two runs write alike. */
int apt_remove_leftovers(int root_fd);

/* What debootstrap takes from the host or leaves for later: host name, resolver, its own files. */
int apt_remove_host_traces(int root_fd);
