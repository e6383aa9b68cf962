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
