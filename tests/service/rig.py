# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine for services within this one: namespaces, empty directories, a cgroup, and a manager in it.

All of a test runs in it: what it starts, writes and looks at is the rig's. Nothing of the host is changed, and nothing stays.
"""

import os
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HIERARCHIES = ('/sys/fs/cgroup', '/sys/fs/cgroup/unified')
# Empty in the rig, and memory, which can show files with other owners.
EMPTY = ('/run', '/var/lib', '/var/cache', '/var/log', '/var/tmp', '/tmp', '/dev/shm', '/etc/systemd', '/etc/mkosi')
ADDRESSES = ('198.51.100.8/32', '198.51.100.4/32', '10.1.2.3/32', '203.0.113.71/32', '2001:db8::71/128')
UNITS = '/etc/systemd/system'
# Where the programs under test are in the rig: wherever they were made may be out of sight there.
PROGRAMS = Path('/run/programs')
PROGRAM_NAMES = ('mkosi-manager', 'mkosi-exec', 'mkosi-run', 'mkosi-ctl')

# What makes the namespaces stays in them, and is what others enter.
SETUP = """
set -e
mount --make-rprivate /
for directory in %(empty)s; do
        mkdir -p "$directory"
        mount -t tmpfs -o mode=0755 tmpfs "$directory"
done
chmod 1777 /tmp /var/tmp /dev/shm
mkdir -p %(units)s
ip link set lo up
for address in %(addresses)s; do ip address add "$address" dev lo 2>/dev/null || true; done
echo ready
exec sleep infinity
"""


def programs():
    """The directory with the programs under test."""
    return Path(os.environ.get('MKOSI_SERVICE_PROGRAMS', ROOT / 'build/gcc/src')).absolute()


def hierarchy():
    for path in HIERARCHIES:
        if Path(path, 'cgroup.procs').exists():
            return Path(path)
    raise AssertionError('there is no cgroup file system of version 2')


def controller_group(name, base):
    """The directory for the group `base` where the hierarchy of version 1 of a controller is; None: there is no such one."""
    own = None
    for line in Path('/proc/self/cgroup').read_text().splitlines():
        _, controllers, path = line.split(':', 2)
        if name in controllers.split(','):
            own = path.lstrip('/')
    if own is None or not Path('/sys/fs/cgroup', name, 'cgroup.procs').exists():
        return None
    return Path('/sys/fs/cgroup', name, own, base)


def wait_for(condition, what, seconds=60):
    """Asks until the answer is true, and returns it. The limit only ends what hangs."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f'waited {seconds} s in vain for {what}'
        time.sleep(0.01)


class Rig:
    def __init__(self):
        self.programs = PROGRAMS
        self.name = f'mkosi-test-{uuid.uuid4().hex[:12]}'
        self.cgroup = hierarchy() / self.name
        self.manager = None
        self.holder = None

    def __enter__(self):
        script = SETUP % {
            'empty': ' '.join(EMPTY),
            'units': UNITS,
            'addresses': ' '.join(ADDRESSES),
        }
        self.holder = subprocess.Popen(
            ['unshare', '--mount', '--net', '--ipc', '--propagation', 'private', 'bash', '-c', script],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert self.holder.stdout.readline() == 'ready\n', 'the rig could not be made'
            self.path(PROGRAMS).mkdir()
            for name in PROGRAM_NAMES:
                shutil.copy(programs() / name, self.path(PROGRAMS))
            self.start_manager()
        except BaseException as problem:
            self.__exit__(type(problem), problem, None)
            raise
        return self

    def __exit__(self, kind, *_):
        status = 0
        if self.manager:
            status = self.manager.poll()
            if status is None:
                status = self.kill_manager(signal.SIGTERM)
        if self.cgroup.exists():
            (self.cgroup / 'cgroup.kill').write_text('1')
            events = self.cgroup / 'cgroup.events'
            wait_for(lambda: 'populated 0' in events.read_text(), 'the end of all services')
            groups = [self.cgroup, *(controller_group(name, self.name) for name in ('pids', 'memory'))]
            for group in filter(None, groups):
                for path in sorted(group.glob('**/'), reverse=True):
                    path.rmdir()
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        # It ends well whatever it was asked for; with a sanitizer it also says so when something was lost.
        assert kind or status == 0, f'the manager ended with {status}'

    # Running things.

    def inside(self, arguments):
        return [
            'nsenter', f'--target={self.holder.pid}', '--mount', '--net', '--ipc', '--wd=/', '--',
            *map(str, arguments),
        ]  # fmt: skip

    def run(self, *arguments, check=True, input=None, environment=None, seconds=120):
        """Runs a program in the rig; the result has the texts that it printed."""
        process = subprocess.run(
            self.inside(arguments),
            input=input,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, 'LC_ALL': 'C', 'TZ': 'UTC', **(environment or {})},
        )
        if check:
            assert process.returncode == 0, f'{arguments} ended with {process.returncode}:\n{process.stderr}'
        return process

    def popen(self, *arguments, **options):
        return subprocess.Popen(self.inside(arguments), text=True, **options)

    def shell(self, script, **options):
        return self.run('bash', '-ec', script, **options)

    def ctl(self, *arguments, **options):
        return self.run(self.programs / 'mkosi-ctl', *arguments, **options)

    def transient(self, *arguments, **options):
        """The client for transient services."""
        return self.run(self.programs / 'mkosi-run', *arguments, **options)

    # Files in the rig.

    def path(self, path):
        """Where something of the rig is seen from outside."""
        return Path(f'/proc/{self.holder.pid}/root') / str(path).lstrip('/')

    def write(self, path, text, mode=0o644):
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def exists(self, path):
        return os.path.lexists(self.path(path))

    def unit(self, name, text=None, **settings):
        """Writes a unit: the text, or [Service] with these settings. A list is several lines."""
        if text is None:
            lines = ['[Service]']
            for key, value in settings.items():
                lines += [f'{key}={item}' for item in (value if isinstance(value, list) else [value])]
            text = '\n'.join(lines) + '\n'
        self.write(f'{UNITS}/{name}', text)

    # The manager.

    def start_manager(self, *options, environment=(), stderr=None):
        """environment: what it has besides, "NAME=VALUE" each."""
        self.manager = self.popen(
            'env',
            *environment,
            self.programs / 'mkosi-manager',
            f'--cgroup={self.name}',
            f'--helper={self.programs / "mkosi-exec"}',
            *options,
            stderr=stderr,
        )
        wait_for(self.is_listening, 'the manager')

    def is_listening(self):
        assert self.manager.poll() is None, f'the manager ended with {self.manager.returncode}'
        return self.run(self.programs / 'mkosi-ctl', 'list-units', check=False).returncode == 0

    def manager_pid(self):
        """Of the manager itself: nsenter and env execute it in their own place."""
        return self.manager.pid

    def kill_manager(self, number=signal.SIGKILL):
        os.kill(self.manager_pid(), number)
        status = self.manager.wait()
        self.manager = None
        return status

    def controller(self, name, unit_cgroup):
        """The group of a unit that has the controller, whichever version of groups it is of; None: nothing has it."""
        if name in (self.cgroup / 'cgroup.controllers').read_text().split():
            return self.cgroup / unit_cgroup
        base = controller_group(name, self.name)
        return base and base / unit_cgroup

    # What is known of units.

    def show(self, unit, *names):
        """The properties of a unit; of one name its value alone."""
        arguments = [word for name in names for word in ('-p', name)]
        lines = self.ctl('show', unit, *arguments).stdout.splitlines()
        found = dict(line.split('=', 1) for line in lines if '=' in line)
        return found[names[0]] if len(names) == 1 else found

    def state(self, unit):
        return self.show(unit, 'ActiveState')

    def main_pid(self, unit):
        return int(self.show(unit, 'MainPID'))

    def send(self, pid, number):
        """To a process of the rig: what is no number of one would be a whole group, the tests' own."""
        assert int(pid) > 1, f'{pid} is no process'
        os.kill(int(pid), number)

    def kill_main(self, unit, number=signal.SIGKILL):
        self.send(wait_for(lambda: self.main_pid(unit), f'the process of {unit}'), number)

    def wait_state(self, unit, *states):
        return wait_for(lambda: self.state(unit) in states and self.state(unit), f'{unit} to be {states}')

    def log(self, *arguments):
        """The messages of the log, without the times."""
        return self.ctl('log', '-o', 'cat', *arguments).stdout.splitlines()

    def processes(self, unit_cgroup):
        path = self.cgroup / unit_cgroup / 'cgroup.procs'
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []
