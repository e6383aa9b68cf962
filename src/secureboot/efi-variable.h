/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Authenticated variables of UEFI firmware, which say whose programs it runs (UEFI Specification, 8.2 and 32.4): as
 * files that systemd-boot, or a firmware's own menu, enrols. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/uuid.h"
#include "secureboot/certificate.h"
#include "secureboot/der.h"
#include "secureboot/signing-key.h"

/* In the order in which they may be enrolled: the last one ends the setup mode. */
typedef enum EfiVariable {
        EFI_VARIABLE_DB,  /* whose programs run */
        EFI_VARIABLE_KEK, /* who may change db */
        EFI_VARIABLE_PK,  /* who may change KEK, the platform's owner */
        EFI_VARIABLE_MAX,
} EfiVariable;

extern const char *const efi_variable_names[]; /* "db", "KEK", "PK" */

/* Appends an EFI_SIGNATURE_LIST with the certificate in it; the owner is a UUID of whoever it comes from. */
void efi_signature_list_write(const Certificate *certificate, Uuid owner, Der *der);

/* Appends the variable's new content as SetVariable() takes it: an EFI_VARIABLE_AUTHENTICATION_2, signed by the key,
 * and the content behind it. The time is in seconds since 1970; firmware refuses content that is older than what it
 * has. */
int efi_variable_write(EfiVariable variable, const Der *content, int64_t time, const SigningKey *key,
                       const Certificate *certificate, Der *ret, Reason *reason);

/* For signatures that are made elsewhere: the same file, with zeros in the signature's place. Its header says how large
 * that is, so that only RSA keys will do, -ENOTSUP with a reason for others. */
int efi_variable_reserve(const Der *content, int64_t time, const Certificate *certificate, Der *ret,
                         Reason *reason);

/* Where the signature is in such a file, and what it is of. */
typedef struct EfiVariableParts {
        size_t signature_offset, signature_size;
        Der signed_bytes;
} EfiVariableParts;

/* Reads it, whatever the bytes are. -EBADMSG with a reason when they are no such file. */
int efi_variable_read(EfiVariable variable, const void *bytes, size_t size, EfiVariableParts *ret,
                      Reason *reason);
void efi_variable_parts_done(EfiVariableParts *parts);

/* What goes into the place, around a signature of the signed bytes. */
int efi_variable_signature_make(const Certificate *certificate, const Der *signature, Der *ret);

/* 1 when just that is in the place, and the signature is one by the certificate's RSA key; 0 when not. */
int efi_variable_is_signed(const void *bytes, const EfiVariableParts *parts, const Certificate *certificate);
