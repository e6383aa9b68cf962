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
