/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libc calls in libnss_mkosi.so.2, by the rules of the manual of glibc, "NSS Modules Interface": all strings are in the
 * caller's buffer; where that is too small, the answer is NSS_STATUS_TRYAGAIN with ERANGE. Dynamic users are not listed. */

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>

enum nss_status _nss_mkosi_getpwnam_r(const char *name, struct passwd *ret, char *buffer, size_t size,
                                      int *errnop);
enum nss_status _nss_mkosi_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop);
enum nss_status _nss_mkosi_getgrnam_r(const char *name, struct group *ret, char *buffer, size_t size,
                                      int *errnop);
enum nss_status _nss_mkosi_getgrgid_r(gid_t gid, struct group *ret, char *buffer, size_t size, int *errnop);
