# SPDX-License-Identifier: LGPL-2.1-or-later
"""What takes a service's means away, one setting at a time: tried by the service itself, with the setting and without."""

import os
import platform

import pytest
from within import start, within

CALLS = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    r = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return errno.errorcode[ctypes.get_errno()] if r < 0 else r
def error(function, *arguments):
    try:
        function(*arguments)
    except OSError as problem:
        return errno.errorcode[problem.errno]
    return 0
"""


def python(rig, script, *properties):
    """What the script prints as a service, with the calls above."""
    rig.write('/run/probe.py', CALLS + script + '\n')
    return within(rig, '/usr/bin/python3 /run/probe.py', *properties).stdout.split()


needs_x86_64 = pytest.mark.skipif(platform.machine() != 'x86_64', reason='the numbers of calls are those of x86-64')
UNSHARE, SETNS, CLONE3, SETSCHEDULER, SETATTR, PERSONALITY = 272, 308, 435, 144, 314, 135
SETHOSTNAME, SYSLOG, FINIT_MODULE, CLOCK_SETTIME = 170, 103, 313, 227
NEWNS, NEWUTS, NEWNET = 0x20000, 0x4000000, 0x40000000


PROBES = [
    ('RestrictRealtime=yes', f'p = ctypes.byref(ctypes.c_int(1)); print(call({SETSCHEDULER}, 0, 1, p), call({SETATTR}, 0, 0, 0))',
     ['EPERM', 'ENOSYS']),
    ('LockPersonality=yes', f'print(call({PERSONALITY}, 8))', ['EPERM']),
    ('RestrictNamespaces=yes', f'print(call({UNSHARE}, {NEWNS}), call({UNSHARE}, {NEWUTS}), call({CLONE3}, 0, 0))',
     ['EPERM', 'EPERM', 'ENOSYS']),
    ('RestrictNamespaces=uts', f'print(call({UNSHARE}, {NEWNS}), call({UNSHARE}, {NEWUTS}))', ['EPERM', '0']),
    ('RestrictNamespaces=~mnt', f'print(call({UNSHARE}, {NEWNS}), call({UNSHARE}, {NEWUTS}))', ['EPERM', '0']),
    ('RestrictNamespaces=~net', f'f = os.open("/proc/self/ns/net", 0); print(call({SETNS}, f, {NEWNET}), call({SETNS}, f, 0))',
     ['EPERM', 'EPERM']),
    ('ProtectKernelModules=yes', f'print(call({FINIT_MODULE}, -1, 0, 0), os.path.exists("/usr/lib/modules/6.1"))',
     ['EPERM', 'False']),
    ('ProtectKernelLogs=yes', f'print(call({SYSLOG}, 10, 0, 0), error(os.open, "/dev/kmsg", 0))', ['EPERM', 'EACCES']),
    ('ProtectClock=yes', f'print(call({CLOCK_SETTIME}, 99, 0))', ['EPERM']),
    ('SystemCallFilter=~mkdir:EXDEV mkdirat:EXDEV', 'print(error(os.mkdir, "/run/made"))', ['EXDEV']),
]  # fmt: skip


@needs_x86_64
@pytest.mark.parametrize('setting, script, expected', PROBES, ids=lambda value: value if '=' in value and len(value) < 60 else '')
def test_calls(rig, setting, script, expected):
    """Refused with the setting, and not for another reason: without it, it is otherwise."""
    if os.path.isdir('/usr/lib/modules'):
        rig.shell('mount -t tmpfs tmpfs /usr/lib/modules; mkdir /usr/lib/modules/6.1')
    # What root could not do without CAP_SYS_MODULE and the like is not what is tried here: the filter answers first.
    assert python(rig, script, setting) == expected
    assert python(rig, 'import shutil; shutil.rmtree("/run/made", True);' + script) != expected


@needs_x86_64
def test_host_names(rig):
    """ProtectHostname=: the name cannot be set; with private it can, and nobody else sees it."""
    script = f'print(call({SETHOSTNAME}, b"changed", 7), os.uname().nodename == "changed")'
    before = os.uname().nodename
    assert python(rig, script, 'ProtectHostname=yes') == ['EPERM', 'False']
    assert python(rig, script, 'ProtectHostname=private') == ['0', 'True']
    assert os.uname().nodename == before
    start(rig, 'named', ProtectHostname='yes')
    assert os.readlink(f'/proc/{rig.main_pid("named")}/ns/uts') != os.readlink('/proc/self/ns/uts')


def bounding(rig, *properties):
    return int(within(rig, "sed -n 's/^CapBnd:\t//p' /proc/self/status", *properties).stdout, 16)


def test_empty_bounding_set(rig):
    """Nothing said after the equals sign is no capability at all, and what follows adds to that; in files as elsewhere."""
    assert bounding(rig, 'CapabilityBoundingSet=') == 0
    assert bounding(rig, 'CapabilityBoundingSet=CAP_CHOWN', 'CapabilityBoundingSet=', 'CapabilityBoundingSet=CAP_KILL') == 1 << 5
    rig.unit('none.service', Type='oneshot', CapabilityBoundingSet=['CAP_CHOWN', ''], StandardOutput='file:/run/said',
             ExecStart='/bin/sed -n s/^CapBnd://p /proc/self/status')  # fmt: skip
    rig.ctl('start', 'none')
    assert int(rig.path('/run/said').read_text(), 16) == 0
    assert bounding(rig) != 0


HARDENED = """
NoNewPrivileges=yes;ProtectSystem=strict;ProtectHome=yes;PrivateTmp=yes;PrivateDevices=yes;PrivateMounts=yes
PrivateUsers=yes;ProtectKernelTunables=yes;ProtectKernelModules=yes;ProtectKernelLogs=yes;ProtectControlGroups=yes
ProtectClock=yes;ProtectHostname=yes;ProtectProc=invisible;ProcSubset=pid;RestrictSUIDSGID=yes;RestrictRealtime=yes
RestrictNamespaces=yes;LockPersonality=yes;MemoryDenyWriteExecute=yes;CapabilityBoundingSet=;AmbientCapabilities=
SystemCallArchitectures=native;SystemCallFilter=@system-service;SystemCallErrorNumber=EPERM;KeyringMode=private
SystemCallFilter=~@privileged @resources @mount @debug @cpu-emulation @obsolete @reboot @swap @raw-io @clock @module
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX;NoExecPaths=/;ExecPaths=/usr /lib /lib64;RemoveIPC=yes;UMask=0077
""".strip().replace('\n', ';').split(';')


@pytest.mark.parametrize('user', ['User=daemon', 'DynamicUser=yes', 'User=root'])
def test_all_at_once(rig, user):
    """What hardened units of the world say, together: the program still runs, and can write where it may."""
    seen = within(rig, 'echo x >$STATE_DIRECTORY/x; cat $STATE_DIRECTORY/x; grep -h CapBnd /proc/self/status', *HARDENED, user,
                  'StateDirectory=hardened')  # fmt: skip
    assert seen.stdout.split()[0] == 'x' and int(seen.stdout.split()[-1], 16) == 0


AWAY = {
    'PrivateDevices': {17, 27},
    'ProtectKernelModules': {16},
    'ProtectKernelLogs': {34},
    'ProtectClock': {25, 35},
}


@pytest.mark.parametrize('setting', AWAY)
def test_capabilities_that_would_get_around(rig, setting):
    """What would make the rest of the setting idle is taken away, and nothing else is."""
    all_of_them = bounding(rig)
    left = bounding(rig, f'{setting}=yes')
    assert {bit for bit in range(64) if (all_of_them ^ left) & 1 << bit} == AWAY[setting]
    # Also from what is listed, and from what users get.
    number = min(AWAY[setting])
    name = {17: 'CAP_SYS_RAWIO', 16: 'CAP_SYS_MODULE', 34: 'CAP_SYSLOG', 25: 'CAP_SYS_TIME'}[number]
    assert bounding(rig, f'{setting}=yes', f'CapabilityBoundingSet={name} CAP_KILL') == 1 << 5
    seen = within(rig, "sed -n 's/^CapEff:\t//p' /proc/self/status", f'{setting}=yes', 'User=daemon',
                  f'AmbientCapabilities={name} CAP_KILL').stdout  # fmt: skip
    assert int(seen, 16) == 1 << 5


@needs_x86_64
def test_architectures(rig):
    """SystemCallArchitectures=native: what is called as another processor's program kills (here: x32 numbers)."""
    script = f'print(call({0x40000000 + 39}))'
    assert python(rig, script) == ['ENOSYS'] or python(rig, script)[0].isdigit()
    rig.unit('x32.service', Type='oneshot', SystemCallArchitectures='native', ExecStart='/usr/bin/python3 /run/probe.py')
    assert rig.ctl('start', 'x32', check=False).returncode != 0
    assert rig.show('x32', 'ExecMainStatus') == '31'
    assert within(rig, 'echo fine', 'SystemCallArchitectures=native x86').stdout == 'fine\n'


def test_error_number_and_log(rig):
    """SystemCallErrorNumber= in place of the end; SystemCallLog= changes nothing for the service."""
    script = 'print(error(os.mkdir, "/run/made"))'
    assert python(rig, script, 'SystemCallFilter=~mkdir mkdirat', 'SystemCallErrorNumber=EXDEV') == ['EXDEV']
    assert python(rig, script, 'SystemCallLog=mkdir mkdirat') == ['0']


def test_unknown_calls_are_warned_of(rig):
    """File and line of what is no call; the rest of the list is in force."""
    rig.unit('odd.service', Type='oneshot', SystemCallFilter=['~mkdri mkdir:EXDEV', '~mkdirat:EXDEV @swap'],
             StandardOutput='file:/run/said', ExecStart='/usr/bin/python3 /run/probe.py')  # fmt: skip
    rig.write('/run/probe.py', CALLS + 'print(error(os.mkdir, "/run/made"))\n')
    rig.ctl('start', 'odd')
    assert rig.path('/run/said').read_text() == 'EXDEV\n'
    log = '\n'.join(rig.log('-u', 'odd'))
    assert 'odd.service:3: SystemCallFilter=: no system call "mkdri" is known, it is passed over; did you mean "mkdir"?' in log


def test_keyrings(rig):
    """A session keyring each; with KeyringMode=inherit that of the manager."""
    script = 'print(call(250, 0, -3, 0))'
    own = {python(rig, script)[0] for _ in range(2)} | {python(rig, script, 'KeyringMode=shared')[0]}
    assert len(own) == 3
    inherited = {python(rig, script, 'KeyringMode=inherit')[0] for _ in range(2)}
    assert len(inherited) == 1 and not inherited & own


def test_secure_bits(rig):
    """For root and for others, who have no capability left to change them again."""
    for user in ('root', 'daemon'):
        script = 'print(libc.prctl(27, 0, 0, 0, 0)); print(open("/proc/self/status").read().split("CapEff:")[1].split()[0])'
        bits, effective = python(rig, script, 'SecureBits=noroot noroot-locked', f'User={user}')
        assert int(bits) == 3 and int(effective, 16) == 0


def test_scheduling(rig):
    """Processors, disks, timers and SIGPIPE, as the service finds them."""
    script = 'print(os.sched_getscheduler(0), call(252, 1, 0) >> 13, libc.prctl(30, 0, 0, 0, 0), os.sched_getaffinity(0))'
    first = min(os.sched_getaffinity(0))
    seen = python(rig, script, 'CPUSchedulingPolicy=batch', 'IOSchedulingClass=idle', 'TimerSlackNSec=2ms', f'CPUAffinity={first}')
    assert seen == ['3', '3', '2000000', f'{{{first}}}']
    ignored = "sed -n 's/^SigIgn:\t//p' /proc/self/status"
    assert int(within(rig, ignored).stdout, 16) & 1 << 12
    assert not int(within(rig, ignored, 'IgnoreSIGPIPE=no').stdout, 16) & 1 << 12


# What is seen

def test_proc(rig):
    """ProtectProc= hides the processes of others, ProcSubset= all but processes."""
    look = 'ls -d /proc/1 /proc/meminfo 2>/dev/null || true; test -d /proc/self'
    assert within(rig, look, 'User=daemon').stdout.split() == ['/proc/1', '/proc/meminfo']
    assert within(rig, look, 'User=daemon', 'ProtectProc=invisible').stdout.split() == ['/proc/meminfo']
    assert within(rig, look, 'User=daemon', 'ProtectProc=ptraceable').stdout.split() == ['/proc/meminfo']
    assert within(rig, look, 'User=daemon', 'ProcSubset=pid').stdout.split() == ['/proc/1']
    refused = within(rig, 'cat /proc/1/status >/dev/null', 'User=daemon', 'ProtectProc=noaccess', check=False)
    assert refused.returncode != 0
    # Together with what is to be read-only in there.
    refused = within(rig, 'echo x >/proc/sys/kernel/domainname', 'ProtectProc=invisible', 'ProtectKernelTunables=yes', check=False)
    assert refused.returncode != 0
    within(rig, 'test ! -e /proc/sys', 'ProcSubset=pid', 'ProtectKernelTunables=yes')


def test_private_users(rig):
    """Root and the user are themselves, all others nobody; and root in there is nobody outside."""
    rig.shell('touch /run/other; chown 33 /run/other')
    seen = within(rig, 'id -u; stat -c %u /etc/passwd /run/other', 'PrivateUsers=yes', 'User=daemon')
    assert seen.stdout.split() == ['1', '0', '65534']
    assert within(rig, 'chown 33 /run/other 2>&1 || echo refused', 'PrivateUsers=yes').stdout.count('refused') == 1
    assert within(rig, 'stat -c %u /run/other', 'PrivateUsers=identity').stdout == '33\n'
    within(rig, 'test "$(stat -c %U .)" && touch $STATE_DIRECTORY/x', 'PrivateUsers=yes', 'DynamicUser=yes', 'StateDirectory=u')


def test_namespaces_of_others(rig):
    """By a path that is one of that kind; each process of the unit enters it."""
    start(rig, 'other', PrivateNetwork='yes')
    pid = rig.main_pid('other')
    rig.shell('touch /run/net /run/ipc; unshare --ipc=/run/ipc true', check=False)
    rig.shell(f'mount --make-rprivate /; mount --bind /proc/{pid}/ns/net /run/net')
    link = os.readlink(f'/proc/{pid}/ns/net')
    assert within(rig, 'readlink /proc/self/ns/net', 'NetworkNamespacePath=/run/net', 'PrivateNetwork=yes').stdout == f'{link}\n'
    seen = within(rig, 'readlink /proc/self/ns/ipc', 'IPCNamespacePath=/run/ipc').stdout
    assert seen.startswith('ipc:') and seen != within(rig, 'readlink /proc/self/ns/ipc').stdout
    assert within(rig, 'true', 'NetworkNamespacePath=/run/ipc', check=False).returncode == 225
    assert within(rig, 'true', 'NetworkNamespacePath=/run/missing', check=False).returncode == 225
    assert within(rig, 'true', 'IPCNamespacePath=/etc/passwd', check=False).returncode == 226


def test_exec_paths(rig):
    """NoExecPaths= with what is excepted from it, beside what is read-only, and in what is put somewhere."""
    rig.shell('mkdir -p /run/a/b /run/c; cp /bin/true /run/a; cp /bin/true /run/a/b; cp /bin/true /run/c')
    look = 'for i in /run/a/true /run/a/b/true /run/c/true; do $i 2>/dev/null && echo $i || true; done'
    assert within(rig, look, 'NoExecPaths=/run/a').stdout.split() == ['/run/c/true']
    assert within(rig, look, 'NoExecPaths=/run/a', 'ExecPaths=/run/a/b').stdout.split() == ['/run/a/b/true', '/run/c/true']
    both = ('NoExecPaths=/', 'ExecPaths=/usr /lib /lib64 /bin /run/a/b -/missing', 'ProtectSystem=strict', 'ReadWritePaths=/run/c',
            'BindPaths=/run/c:/run/a/d')  # fmt: skip
    assert within(rig, look + '; /run/a/d/true 2>/dev/null && echo d; touch /run/c/x; touch /run/a/x 2>/dev/null || echo ro',
                  *both).stdout.split() == ['/run/a/b/true', 'ro']  # fmt: skip


@pytest.mark.parametrize('setting, later', [('PrivateMounts=yes', True), ('MountFlags=slave', True), ('MountFlags=private', False)])
def test_mounts_of_its_own(rig, setting, later):
    """What the service mounts stays with it; what the host mounts later is seen, or not."""
    rig.shell('mount --make-rshared /; mkdir /run/inside /run/later')
    start(rig, 'own', 'mount -t tmpfs tmpfs /run/inside; touch /run/inside/x', **dict([setting.split('=')]))
    assert not rig.exists('/run/inside/x')
    rig.shell('mount -t tmpfs tmpfs /run/later; touch /run/later/x')
    assert os.path.exists(f'/proc/{rig.main_pid("own")}/root/run/later/x') == later


def test_prefixes_of_paths(rig):
    """A dash, a plus, and both."""
    rig.shell('mkdir /run/a')
    for prefix in ('', '-', '+', '-+'):
        assert within(rig, 'touch /run/a/x 2>/dev/null || echo ro', f'ReadOnlyPaths={prefix}/run/a').stdout == 'ro\n'
    within(rig, 'true', 'ReadOnlyPaths=-/run/missing -+/run/missing', 'InaccessiblePaths=-/run/missing')
    assert within(rig, 'true', 'ReadOnlyPaths=+/run/missing', check=False).returncode == 226


# Targets that are not there

def test_targets_are_made(rig):
    """Directories and files, also in what is read-only for the service; a missing source makes nothing."""
    rig.shell('mkdir /run/source; echo text >/run/source/file')
    within(rig, 'test $(cat /run/new/dir/file) = text; test $(cat /run/new/file) = text; ! touch /run/new/x 2>/dev/null',
           'ProtectSystem=strict', 'UMask=0077', 'BindPaths=/run/source:/run/new/dir',
           'BindReadOnlyPaths=/run/source/file:/run/new/file', 'BindPaths=-/run/missing:/run/none')  # fmt: skip
    assert rig.path('/run/new').stat().st_mode & 0o7777 == rig.path('/run/new/dir').stat().st_mode & 0o7777 == 0o755
    assert rig.path('/run/new/file').is_file() and os.listdir(rig.path('/run/new/dir')) == []
    assert not rig.exists('/run/none')
    within(rig, 'touch /run/memory/a/x', 'TemporaryFileSystem=/run/memory/a')
    assert os.listdir(rig.path('/run/memory/a')) == []


def test_targets_in_what_is_bound(rig):
    """One in the source of another bind is made there; not where that is read-only."""
    rig.shell('mkdir /run/source /run/outer /run/inner; touch /run/inner/x')
    within(rig, 'test -e /run/outer/sub/x', 'BindPaths=/run/source:/run/outer', 'BindPaths=/run/inner:/run/outer/sub')
    assert os.listdir(rig.path('/run/source')) == ['sub'] and os.listdir(rig.path('/run/outer')) == []
    refused = within(rig, 'true', 'BindReadOnlyPaths=/run/source:/run/outer', 'BindPaths=/run/inner:/run/outer/other', check=False)
    assert refused.returncode == 226 and not rig.exists('/run/source/other')


@pytest.mark.parametrize('link, directory', [('daemon', 'daemon'), ('root', 'daemon'), ('daemon', 'root')])
def test_planted_links_make_nothing(rig, link, directory):
    """A link that somebody else can have put there leads root to no place; root's own does."""
    rig.shell(f'mkdir /run/theirs /run/secret /run/source; ln -s /run/secret /run/theirs/way; '
              f'chown -h {link} /run/theirs/way; chown {directory} /run/theirs')  # fmt: skip
    refused = within(rig, 'true', 'BindPaths=/run/source:/run/theirs/way/made', check=False)
    assert refused.returncode == 226 and os.listdir(rig.path('/run/secret')) == []
    rig.shell('chown -h root /run/theirs/way /run/theirs')
    within(rig, 'test -d /run/theirs/way/made', 'BindPaths=/run/source:/run/theirs/way/made')
    assert os.listdir(rig.path('/run/secret')) == ['made']


# Standard input

def test_standard_input_data(rig):
    """Text and Base64, in this order; said alone it is what standard input is."""
    rig.unit('data.service', Type='oneshot', StandardInputText=['a\\tb', '%n'], StandardInputData='Yw==',
             StandardOutput='file:/run/said', ExecStart='/bin/cat')  # fmt: skip
    rig.ctl('start', 'data')
    assert rig.path('/run/said').read_text() == 'a\tb\ndata.service\nc'
    # What is taken back is as if it had not been said.
    within(rig, 'test -z "$(cat)"', 'StandardInputText=x', 'StandardInputText=', 'CPUAffinity=9999', 'CPUAffinity=',
           'SystemCallArchitectures=z80', 'SystemCallArchitectures=')  # fmt: skip
    rig.unit('none.service', Type='oneshot', StandardInput='null', StandardInputText='x', StandardOutput='file:/run/said',
             ExecStart='/bin/cat')  # fmt: skip
    rig.path('/run/said').unlink()
    rig.ctl('start', 'none')
    assert rig.path('/run/said').read_text() == ''


@pytest.mark.parametrize(
    'setting', ['StandardInput=socket', 'StandardInput=fd:web', 'StandardOutput=socket', 'StandardOutput=fd:web']
)
def test_streams_that_need_a_socket(rig, setting):
    """Refused, with the reason."""
    rig.unit('bad.service', f'[Service]\nType=oneshot\n{setting}\nExecStart=/bin/touch /run/ran\n')
    assert rig.ctl('start', 'bad', check=False).returncode != 0 and not rig.exists('/run/ran')
    assert any(setting in line and 'no socket unit' in line for line in rig.log('-u', 'bad'))


def test_streams_to_files(rig):
    """file: overwrites from the start, append: adds, truncate: empties; input and output can be one file."""
    rig.write('/run/out', 'longer than that\n')
    for kind, expected in (('append', 'longer than that\nnew\n'), ('file', 'new\ner than that\nnew\n'), ('truncate', 'new\n')):
        rig.unit('out.service', Type='oneshot', StandardOutput=f'{kind}:/run/out', ExecStart='/bin/echo new')
        rig.ctl('daemon-reload')
        rig.ctl('start', 'out')
        assert rig.path('/run/out').read_text() == expected
