/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* EFI programs, and what else decides how a system starts: signatures, and command lines. */

#include "verify/verify.h"

/* All that there are on the disk. */
typedef struct VerifyPrograms {
        VerifyDisk *disk;
        bool any_signed;
        size_t *unsigned_results; /* those of disk->results about programs without a signature that may have none */
        size_t n_unsigned_results;
        char **started; /* paths of programs on the partition that were looked at for an entry of the boot loader */
} VerifyPrograms;

/* Adds the results of the program in the file fd, which has the path on the EFI system partition. */
int verify_program(VerifyPrograms *programs, int fd, const char *path);

/* An entry of the boot loader, of the Boot Loader Specification's type #1: its text. Appends the paths of the programs that it
 * starts, which are on the same partition, to ret_started. */
int verify_boot_entry(VerifyPrograms *programs, const char *text, const char *path, char ***ret_started);

/* When all were looked at: where one is signed, none may be without. */
void verify_programs_end(VerifyPrograms *programs);
void verify_programs_done(VerifyPrograms *programs);
