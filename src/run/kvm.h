/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the processor of this machine runs virtual machines by itself. */

#include "base/reason.h"

#define KVM_DEVICE "/dev/kvm"

/* Makes a machine with one processor by the device, and on x86 has it run what firmware begins with: where
 * virtual machines are nested or confined, all of that may be there and not work. 1 when it works; 0 with the
 * reason when it does not. Negative when nobody knows. */
int kvm_works(const char *device, Reason *reason);
