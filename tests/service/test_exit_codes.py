# SPDX-License-Identifier: LGPL-2.1-or-later
"""Steps of the helper that fail because the kernel refuses something, as it does in containers: each has its number."""

import errno
import platform

import pytest
from fault import ANY, install
from rig import programs

pytestmark = pytest.mark.skipif(platform.machine() != 'x86_64', reason='the faults are made by numbers of x86-64')

CAPBSET_DROP, SET_SECUREBITS, SET_NO_NEW_PRIVS, SET_SECCOMP = 24, 28, 38, 22
SET_TIMERSLACK, SET_MDWE = 29, 65
NEWNS, NEWNET, NEWUTS, NEWUSER = 0x20000, 0x40000000, 0x4000000, 0x10000000

FAULTS = [
    (201, 'NICE', 'Nice=5', [('setpriority', ANY, errno.EPERM)]),
    (202, 'FDS', 'Nice=0', [('close_range', ANY, errno.ENOSYS)]),
    (204, 'MEMORY', 'EnvironmentFile=/does/not/exist', []),
    (205, 'LIMITS', 'LimitNOFILE=100', [('prlimit64', ANY, errno.EPERM)]),
    (206, 'OOM_ADJUST', 'OOMScoreAdjust=100', [('hide', '/proc')]),
    (207, 'SIGNAL_MASK', 'Nice=0', [('rt_sigprocmask', ANY, errno.EPERM)]),
    (211, 'IOPRIO', 'IOSchedulingClass=idle', [('ioprio_set', ANY, errno.EPERM)]),
    (212, 'TIMERSLACK', 'TimerSlackNSec=1ms', [('prctl', SET_TIMERSLACK, errno.EPERM)]),
    (214, 'SETSCHEDULER', 'CPUSchedulingPolicy=batch', [('sched_setscheduler', ANY, errno.EPERM)]),
    (215, 'CPUAFFINITY', 'CPUAffinity=0', [('sched_setaffinity', ANY, errno.EPERM)]),
    (213, 'SECUREBITS', 'SecureBits=noroot', [('prctl', SET_SECUREBITS, errno.EPERM)]),
    (216, 'GROUP', 'User=daemon', [('setgroups', ANY, errno.EPERM)]),
    (217, 'USER', 'User=daemon', [('setresuid', ANY, errno.EPERM)]),
    (217, 'USER', 'PrivateUsers=yes', [('unshare', NEWUSER, errno.EPERM)]),
    (218, 'CAPABILITIES', 'CapabilityBoundingSet=CAP_KILL', [('prctl', CAPBSET_DROP, errno.EPERM)]),
    (218, 'CAPABILITIES', 'ProtectClock=yes', [('prctl', CAPBSET_DROP, errno.EPERM)]),
    (220, 'SETSID', 'Nice=0', [('setsid', ANY, errno.EACCES)]),
    (225, 'NETWORK', 'PrivateNetwork=yes', [('unshare', NEWNET, errno.EPERM)]),
    (226, 'NAMESPACE', 'PrivateMounts=yes', [('unshare', NEWNS, errno.EPERM)]),
    (226, 'NAMESPACE', 'ProtectHostname=yes', [('unshare', NEWUTS, errno.EPERM)]),
    (226, 'NAMESPACE', 'ProtectSystem=strict', [('mount_setattr', ANY, errno.ENOSYS)]),
    (227, 'NO_NEW_PRIVILEGES', 'NoNewPrivileges=yes', [('prctl', SET_NO_NEW_PRIVS, errno.EINVAL)]),
    (228, 'SECCOMP', 'MemoryDenyWriteExecute=yes', [('seccomp', ANY, errno.ENOSYS), ('prctl', SET_SECCOMP, errno.EINVAL)]),
    (228, 'SECCOMP', 'SystemCallFilter=~mkdir', [('seccomp', ANY, errno.ENOSYS), ('prctl', SET_SECCOMP, errno.EINVAL)]),
    (230, 'PERSONALITY', 'Personality=x86', [('personality', 8, errno.EPERM)]),
    (232, 'ADDRESS_FAMILIES', 'RestrictAddressFamilies=AF_UNIX',
     [('seccomp', ANY, errno.ENOSYS), ('prctl', SET_SECCOMP, errno.EINVAL)]),
    (228, 'SECCOMP', 'RestrictAddressFamilies=AF_UNIX\nMemoryDenyWriteExecute=yes', [('prctl', SET_MDWE, errno.EPERM)]),
    (237, 'KEYRING', 'KeyringMode=private', [('keyctl', ANY, errno.ENOMEM)]),
]  # fmt: skip


def needs_it_itself(faults):
    """A sanitizer makes these calls before the helper has begun."""
    return any(fault[0] in ('hide', 'prlimit64', 'rt_sigprocmask') for fault in faults)


@pytest.mark.parametrize('code, name, setting, faults', FAULTS, ids=[f'{row[0]}-{row[2]}' for row in FAULTS])
def test_step_fails(rig, code, name, setting, faults):
    """The number and the name, and nothing is run: never with less than was asked."""
    if needs_it_itself(faults) and b'__asan_init' in (programs() / 'mkosi-exec').read_bytes():
        pytest.skip('the sanitizer needs what is to fail')
    rig.unit('fails.service', f'[Service]\nType=oneshot\n{setting}\nExecStart=/bin/touch /run/ran\n')
    if faults:
        install(rig, *faults)
    assert rig.ctl('start', 'fails', check=False).returncode != 0
    assert rig.show('fails', 'Result', 'ExecMainStatus') == {'Result': 'exit-code', 'ExecMainStatus': str(code)}
    assert f'status={code}/{name}' in rig.ctl('status', 'fails', check=False).stdout
    assert any(f'Failed at step {name} spawning /bin/touch' in line for line in rig.log('-u', 'fails'))
    assert not rig.exists('/run/ran')


def test_faults_do_no_harm_elsewhere(rig):
    """The same helper, and a service that needs nothing of what fails."""
    install(rig, ('setpriority', ANY, errno.EPERM), ('unshare', NEWNET, errno.EPERM))
    rig.unit('works.service', Type='oneshot', ProtectSystem='strict', ReadWritePaths='/run', ExecStart='/bin/touch /run/ran')
    rig.ctl('start', 'works')
    assert rig.exists('/run/ran')
