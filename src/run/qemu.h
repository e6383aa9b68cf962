/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of qemu(1), as data. */

#include "config/config.h"
#include "run/firmware.h"

/* What qemu calls things, of each Architecture. */
typedef struct QemuTarget {
        FirmwareTarget firmware;
        const char *program;
        const char *machine;                            /* of the kind that firmware.machine is a type of */
        const char *emulated_processor;                 /* what emulation does best */
        const char *console;                            /* what Linux calls the serial line */
        bool has_smbios;                                /* tables by which the guest is told something */
        const char *program_package, *firmware_package; /* where they are, for messages */
} QemuTarget;

/* Never NULL. */
const QemuTarget *qemu_target_find(unsigned architecture);

typedef struct QemuMachine {
        const QemuTarget *target;
        const Firmware *firmware;
        int variables_fd;         /* the machine's own, which the program is to inherit */
        const char *image;        /* an absolute path */
        const char *image_format; /* "raw", "qcow2" */
        bool persistent;          /* what is written goes to the image, else to a temporary file */
        bool kvm;                 /* else all is emulated */
        unsigned n_processors;    /* 0: the default */
        uint64_t memory_size;     /* 0: the default */
        bool tell_console;        /* the kernel is told to use the serial line */
        const char *const *words; /* go behind all others; NULL: none */
} QemuMachine;

/* The arguments, of which the first is the program: the serial line, and the monitor behind Ctrl-A C, are on
 * standard input and output, and signals of the terminal reach the guest. */
int qemu_command(const QemuMachine *machine, const char *program, char ***ret);
