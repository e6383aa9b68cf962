/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a verification found: a list of results, in the order in which things were looked at. */

#include "base/macro.h"

typedef enum VerifyVerdict {
        VERIFY_OK,     /* it was looked at, and is as it should be */
        VERIFY_FAILED, /* it is not */
        VERIFY_ABSENT, /* there is nothing to look at, or nothing to compare it with: the detail says which */
        VERIFY_VERDICT_MAX,
} VerifyVerdict;

extern const char *const verify_verdict_words[]; /* "ok", "failed", "absent" */

typedef struct VerifyResult {
        VerifyVerdict verdict;
        char *object; /* "partition table", "/EFI/BOOT/BOOTX64.EFI" */
        char *detail; /* one line */
} VerifyResult;

typedef struct VerifyResults {
        VerifyResult *items;
        size_t n_items;
} VerifyResults;

/* Appends a result. Control characters become tame. */
int verify_add(VerifyResults *results, VerifyVerdict verdict, const char *object, const char *format, ...)
        _printf_(4, 5);
void verify_results_done(VerifyResults *results);

/* Whether nothing failed. */
bool verify_results_are_good(const VerifyResults *results);
