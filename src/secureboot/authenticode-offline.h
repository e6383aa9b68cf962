/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signing of programs whose key is on another machine, in two parts: a place is kept in the certificate table, and what
 * was signed meanwhile is put there. With RSA the program is then, byte for byte, the one that authenticode_sign()
 * makes; ECDSA signatures have no fixed size, so that zeros may follow theirs. The file must be open for writing. */

#include "secureboot/authenticode.h"

/* Keeps a place for a signature behind those that are there. */
int authenticode_reserve(PeImage *image, const Certificate *certificate, int64_t time, Reason *reason);

/* Finds the place: the last entry, if it is all zeros. 1 when there is one, 0 when not. */
int authenticode_find_reserved(const PeImage *image, CertificateEntry *ret, Reason *reason);

/* Whether the entry is all zeros: 1 or 0. */
int authenticode_is_reserved(const PeImage *image, const CertificateEntry *entry);

/* What is to be signed, whether the place is filled or not: the bytes are the request's attributes. */
int authenticode_request_of(const PeImage *image, int64_t time, AuthenticodeRequest *ret);

/* Puts a signature of these bytes into the place. -EKEYREJECTED when it is not one by the certificate's key. */
int authenticode_fill(PeImage *image, const CertificateEntry *entry, int64_t time,
                      const Certificate *certificate, const Der *signature, Reason *reason);
