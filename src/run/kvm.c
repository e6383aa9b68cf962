/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "run/kvm.h"

/* A machine that does not come to its end is no machine. What it has to do takes microseconds. */
#define TRIAL_SECONDS_MAX 10

/* How far the trial came: the exit status of its process. */
typedef enum Trial {
        TRIAL_GOOD,
        TRIAL_NO_MACHINE,
        TRIAL_NO_PROCESSOR,
        TRIAL_NO_STATE,
        TRIAL_NO_PROGRAM,
        TRIAL_MAX,
} Trial;

static const char *const trial_failures[] = {
        [TRIAL_GOOD] = NULL,
        [TRIAL_NO_MACHINE] = "it makes no virtual machine",
        [TRIAL_NO_PROCESSOR] = "its virtual machines get no processor",
        [TRIAL_NO_STATE] = "its virtual processors cannot be set up",
        [TRIAL_NO_PROGRAM] = "its virtual processors do not run what firmware begins with",
};
static_assert(ELEMENTSOF(trial_failures) == TRIAL_MAX, "A failure has no text");

#if defined(__x86_64__) || defined(__i386__)

#define PROGRAM_ADDRESS   0x1000
#define MEMORY_SIZE       4096
#define TASK_ADDRESS      0xfffbd000 /* three pages that nothing else needs, below the firmware's place */
#define CR0_PROTECTED     1
#define FLAGS_RESERVED    2 /* the bit that is always set */
#define SEGMENT_CODE      11
#define SEGMENT_DATA      3
#define SEGMENT_LIMIT_MAX UINT32_MAX

static const uint8_t program[] = {
        0x9b,       /* fwait */
        0xdb, 0xe3, /* fninit */
        0x31, 0xc0, /* xor eax, eax */
        0x0f, 0xa2, /* cpuid */
        0xf4,       /* hlt */
};

/* 32 bits, all of the memory, no paging: as firmware has it when it leaves the reset vector behind. */
static int set_registers(int processor_fd) {
        const struct kvm_segment code = { .limit = SEGMENT_LIMIT_MAX,
                                          .selector = 8,
                                          .type = SEGMENT_CODE,
                                          .present = 1,
                                          .s = 1,
                                          .db = 1,
                                          .g = 1 };
        const struct kvm_segment data = { .limit = SEGMENT_LIMIT_MAX,
                                          .selector = 16,
                                          .type = SEGMENT_DATA,
                                          .present = 1,
                                          .s = 1,
                                          .db = 1,
                                          .g = 1 };
        const struct kvm_regs registers = { .rip = PROGRAM_ADDRESS, .rflags = FLAGS_RESERVED };
        struct kvm_sregs special;

        if (ioctl(processor_fd, KVM_GET_SREGS, &special) < 0)
                return -errno;
        special.cs = code;
        special.ds = special.es = special.fs = special.gs = special.ss = data;
        special.cr0 |= CR0_PROTECTED;
        if (ioctl(processor_fd, KVM_SET_SREGS, &special) < 0 ||
            ioctl(processor_fd, KVM_SET_REGS, &registers) < 0)
                return -errno;
        return 0;
}

static Trial try_program(int kvm_fd, int machine_fd, int processor_fd) {
        uint8_t *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        const int state_size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

        if (memory == MAP_FAILED || state_size < (int)sizeof(struct kvm_run))
                return TRIAL_NO_STATE;
        memcpy(memory, program, sizeof(program));
        const struct kvm_run *state =
                mmap(NULL, (size_t)state_size, PROT_READ | PROT_WRITE, MAP_SHARED, processor_fd, 0);
        const struct kvm_userspace_memory_region region = {
                .guest_phys_addr = PROGRAM_ADDRESS,
                .memory_size = MEMORY_SIZE,
                .userspace_addr = (uintptr_t)memory,
        };
        if (state == MAP_FAILED || ioctl(machine_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ||
            set_registers(processor_fd) < 0)
                return TRIAL_NO_STATE;

        return ioctl(processor_fd, KVM_RUN, 0) == 0 && state->exit_reason == KVM_EXIT_HLT ? TRIAL_GOOD
                                                                                          : TRIAL_NO_PROGRAM;
}

/* Processors of Intel want to know before they get memory where they can put a task of their own. */
static void prepare_machine(int machine_fd) {
        (void)ioctl(machine_fd, KVM_SET_TSS_ADDR, TASK_ADDRESS);
}

#else

static Trial try_program(int kvm_fd, int machine_fd, int processor_fd) {
        return TRIAL_GOOD;
}

static void prepare_machine(int machine_fd) {
}

#endif

/* In a process of its own: whatever it opens and maps goes with it. */
static Trial try_machine(int kvm_fd) {
        const int machine_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

        if (machine_fd < 0)
                return TRIAL_NO_MACHINE;
        prepare_machine(machine_fd);
        const int processor_fd = ioctl(machine_fd, KVM_CREATE_VCPU, 0);
        return processor_fd < 0 ? TRIAL_NO_PROCESSOR : try_program(kvm_fd, machine_fd, processor_fd);
}

/* The exit status, or -ETIME when a signal ended it: that of the clock. */
static int wait_for(pid_t pid) {
        siginfo_t info;

        while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
                if (errno != EINTR)
                        return -errno;
        return info.si_code == CLD_EXITED ? info.si_status : -ETIME;
}

int kvm_works(const char *device, Reason *reason) {
        _cleanup_(fd_closep) int kvm_fd = open(device, O_RDWR | O_CLOEXEC);

        if (kvm_fd < 0) {
                (void)reason_set(reason, -errno,
                                 errno == EACCES ? "%s is for members of its group only" : "%s: %m", device);
                return 0;
        }
        if (ioctl(kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
                (void)reason_set(reason, -ENOTSUP, "%s is no device of KVM", device);
                return 0;
        }

        const pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                interrupt_reset();
                (void)alarm(TRIAL_SECONDS_MAX);
                _exit((int)try_machine(kvm_fd));
        }
        const int r = wait_for(pid);
        if (r == TRIAL_GOOD)
                return 1;
        if (r < 0 && r != -ETIME)
                return r;
        (void)reason_set(reason, -ENOTSUP, "%s does not work: %s", device,
                         r > 0 && r < TRIAL_MAX ? trial_failures[r]
                                                : "a virtual machine does not come to its end");
        return 0;
}
