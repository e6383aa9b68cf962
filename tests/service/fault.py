# SPDX-License-Identifier: LGPL-2.1-or-later
"""A helper of the manager that meets faults: calls of it fail, as in a container that refuses them."""

HELPER = '/run/programs/faulty-exec'
FAULTS = '/run/faults'

# Numbers of x86-64, and of all processors for what has come since.
NUMBERS = {
    'rt_sigprocmask': 14, 'setsid': 112, 'setgroups': 116, 'setresuid': 117, 'personality': 135, 'setpriority': 141,
    'prctl': 157, 'keyctl': 250, 'unshare': 272, 'prlimit64': 302, 'seccomp': 317, 'close_range': 436, 'sethostname': 170,
    'open_tree': 428, 'mount_setattr': 442, 'sched_setscheduler': 144, 'sched_setaffinity': 203, 'ioprio_set': 251,
}  # fmt: skip
ANY = -1

# Reads what is to fail, makes a filter of it, and becomes the helper, with the descriptors that it was given.
SCRIPT = """#!/usr/bin/python3
import ctypes, os, struct, sys
words = [line.split() for line in open('%(faults)s')]
code = []
def add(code_, jt, jf, k):
    code.append(struct.pack('HBBI', code_, jt, jf, k & 0xffffffff))
for number, argument, error in [map(int, line) for line in words if line[0] != 'hide']:
    add(0x20, 0, 0, 0)
    add(0x15, 0, 1 if argument < 0 else 3, number)
    if argument >= 0:
        add(0x20, 0, 0, 16)
        add(0x15, 0, 1, argument)
    add(0x06, 0, 0, 0x00050000 | error)
add(0x06, 0, 0, 0x7fff0000)
libc = ctypes.CDLL(None, use_errno=True)
for line in words:
    if line[0] == 'hide':
        assert libc.unshare(0x20000) == 0 and libc.mount(None, b'/', None, 0x84000, None) == 0
        assert libc.mount(b'tmpfs', line[1].encode(), b'tmpfs', 0, None) == 0
program = ctypes.create_string_buffer(b''.join(code), 8 * len(code))
class Filter(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('program', ctypes.c_void_p)]
filter_ = Filter(len(code), ctypes.addressof(program))
assert libc.syscall(ctypes.c_long(317), 1, 0, ctypes.byref(filter_)) == 0
os.execv('/run/programs/mkosi-exec', ['mkosi-exec', *sys.argv[1:]])
"""


def install(rig, *faults):
    """From now on these fail in the helper: (name of the call, its first argument or ANY, errno), or ('hide', a directory)."""
    rig.write(HELPER, SCRIPT % {'faults': FAULTS}, 0o755)
    lines = [f'hide {fault[1]}' if fault[0] == 'hide' else f'{NUMBERS[fault[0]]} {fault[1]} {fault[2]}' for fault in faults]
    rig.write(FAULTS, '\n'.join(lines) + '\n')
    rig.kill_manager()
    rig.start_manager(f'--helper={HELPER}')
