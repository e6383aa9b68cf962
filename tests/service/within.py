# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scripts that run as services, and what stands in the way of services from outside."""

import contextlib

from rig import wait_for

REGISTRY = '/run/mkosi/dynamic-uid'
FIRST, LAST = 61184, 65519


def within(rig, script, *properties, unit=None, check=True):
    """Runs a shell script as a transient service; the result has what it printed and how it ended."""
    rig.write('/run/script', script + '\n', 0o755)
    options = [f'--unit={unit}'] if unit else []
    for setting in properties:
        options += ['-p', setting]
    return rig.transient('--wait', '--pipe', '-q', *options, '/bin/bash', '-e', '/run/script', check=check)


def start(rig, name, script=None, **settings):
    """A unit with these settings that runs the script, and then waits to be stopped."""
    rig.write(f'/run/{name}.script', (script or ':') + '\nsystemd-notify --ready\nexec sleep infinity\n', 0o755)
    rig.unit(f'{name}.service', Type='notify', NotifyAccess='all', ExecStart=f'/bin/bash -e /run/{name}.script',
             **settings)  # fmt: skip
    rig.ctl('daemon-reload')
    rig.ctl('start', name)


def uid_of(rig, unit):
    return int(rig.show(unit, 'UID'))


@contextlib.contextmanager
def process(rig, *arguments):
    """A program of the host that runs meanwhile."""
    program = rig.popen(*arguments)
    try:
        yield program
    finally:
        program.kill()
        program.wait()


@contextlib.contextmanager
def number_locked(rig, uid):
    """The number is somebody else's, as far as the registry knows."""
    path = f'{REGISTRY}/{uid}'
    with process(rig, 'flock', '--no-fork', path, 'sleep', 'infinity'):
        wait_for(lambda: rig.exists(path) and rig.run('flock', '-n', path, 'true', check=False).returncode != 0,
                 f'the lock of {uid}')  # fmt: skip
        yield


def plant_users(rig, passwd='', group=''):
    """Gives the host further users and groups."""
    rig.shell(
        'cp /etc/passwd /run/passwd; cp /etc/group /run/group; cat >>/run/passwd; '
        f"printf '%s' '{group}' >>/run/group; "
        'mount --bind /run/passwd /etc/passwd; mount --bind /run/group /etc/group',
        input=passwd,
    )


def contents(rig, root):
    """All names, owners, modes and times of change below a directory."""
    return rig.shell(f"find {root} -printf '%p %U %G %m %C@\\n' | sort").stdout


# All that can be told of a tree without reading when it was read or changed: type, mode, owner, device, size, attributes, content.
SNAPSHOT = r"""
import hashlib, os, stat, sys
def look(path):
    status = os.lstat(path)
    mode = status.st_mode
    words = [oct(mode), status.st_uid, status.st_gid, status.st_rdev]
    if stat.S_ISLNK(mode):
        words.append(os.readlink(path))
    elif stat.S_ISREG(mode):
        words.append(hashlib.sha256(open(path, 'rb').read()).hexdigest())
    try:
        words += sorted((name, os.getxattr(path, name, follow_symlinks=False))
                        for name in os.listxattr(path, follow_symlinks=False))
    except OSError as error:
        words.append(error.errno)
    print(repr(path), *words)
    if stat.S_ISDIR(mode):
        for name in sorted(os.listdir(path)):
            if os.path.join(path, name) not in skipped:
                look(os.path.join(path, name))
skipped = set(filter(None, sys.argv[1].split(':')))
for path in sys.argv[2:]:
    look(path)
"""


def snapshot(rig, *roots, skipped=()):
    """One line for each file."""
    rig.write('/run/snapshot', SNAPSHOT)
    lines = rig.run('/usr/bin/python3', '/run/snapshot', ':'.join(skipped), *roots).stdout.splitlines()
    rig.path('/run/snapshot').unlink()
    return lines
