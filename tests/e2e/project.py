# SPDX-License-Identifier: LGPL-2.1-or-later
"""A directory that mkosi is run in, and what is seen of a build from outside."""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Names of steps as mkosi prints them when they begin, in their order.
BOOTSTRAP = 'Installing the base system'
PACKAGES = 'Installing packages'
FIRST_BOOT = 'Resetting identity'
CLEAN = 'Cleaning up the tree'
ASSEMBLE = 'Writing the file systems'
PUBLISH = 'Putting the result into place'

BUILD_SECONDS = 900


def clean_environment(**changes):
    """What a login shell has, and nothing of the machine that runs the tests that could change a build."""
    environment = {
        name: os.environ[name] for name in ('HOME', 'LOGNAME', 'USER', 'TERM') if name in os.environ
    }
    environment['PATH'] = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    environment['LANG'] = 'C.UTF-8'
    # How the package registries are reached is the machine's affair.
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith('_proxy')}
    environment |= changes
    return environment


def notice_signals():
    """What runs the tests may ignore signals, as nohup or a job in the background does, and that is inherited."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Build:
    """A build under way: its messages can be waited for, its processes looked at."""

    def __init__(self, command, directory, environment):
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding='utf-8', errors='replace', start_new_session=True,
            preexec_fn=notice_signals,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    @property
    def output(self):
        return ''.join(self.lines)

    def wait_for(self, text, timeout=BUILD_SECONDS):
        """Waits for a message that contains the text."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not any(text in line for line in self.lines):
                ended = not self.reader.is_alive()
                assert not ended, f'the build ended before it said "{text}":\n{self.output}'
                assert time.monotonic() < deadline, f'the build did not say "{text}" in time:\n{self.output}'
                self.changed.wait(0.05)

    def wait_until(self, condition, timeout=BUILD_SECONDS):
        """Waits until condition() holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert self.process.poll() is None, f'the build ended before it came so far:\n{self.output}'
            assert time.monotonic() < deadline, f'the build did not come so far in time:\n{self.output}'
            time.sleep(0.002)

    def kill(self, number):
        os.kill(self.process.pid, number)

    def wait(self, timeout=BUILD_SECONDS):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f'the build did not end in {timeout} s:\n{self.output}') from None
        self.reader.join(10)
        return status

    def end(self):
        """Makes sure that nothing of it stays, whatever the test found."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Project:
    """A project directory with its settings, and the mkosi that builds it."""

    def __init__(self, directory, mkosi, settings):
        self.directory = Path(directory)
        self.mkosi = Path(mkosi)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.write('mkosi.default', settings)

    def write(self, name, text, mode=0o644):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        path.chmod(mode)
        return path

    @property
    def workspaces(self):
        return sorted(self.directory.glob('.mkosi-*'))

    def start(self, *arguments, environment=None, wrapper=()):
        command = [*wrapper, self.mkosi, *arguments]
        return Build(
            [str(word) for word in command], self.directory, clean_environment(**(environment or {}))
        )

    def run(self, *arguments, status=0, environment=None, wrapper=(), timeout=BUILD_SECONDS):
        """Runs mkosi to its end, which must be the given exit status. stdout and stderr are in the result."""
        result = subprocess.run(
            [str(word) for word in (*wrapper, self.mkosi, *arguments)], cwd=self.directory, timeout=timeout,
            env=clean_environment(**(environment or {})), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, encoding='utf-8', errors='replace', check=False,
        )  # fmt: skip
        said = f'{result.stdout}{result.stderr}'
        assert (
            result.returncode == status
        ), f'mkosi {arguments} ended with {result.returncode}, not {status}:\n{said}'
        return result


def build_and_keep_tree(project, copy, *arguments, environment=None):
    """Builds, and copies the tree just as it is when its assembly begins: mkosi stands still meanwhile."""
    build = project.start(*arguments, environment=environment)
    try:
        build.wait_for(ASSEMBLE)
        build.kill(signal.SIGSTOP)
        [workspace] = project.workspaces
        subprocess.run(['cp', '-a', workspace / 'root', copy], check=True)
        build.kill(signal.SIGCONT)
        assert build.wait() == 0, build.output
    finally:
        build.end()
    return build


# The target is the only argument that is a directory. The tree is mounted where a package manager's sandbox sees it.
STAND_IN = """\
#!/bin/sh
for argument; do
        if [ -d "$argument" ]; then
                exec cp -a /mnt/. "$argument"
        fi
done
exit 1
"""


def stand_in(directory, tree):
    """The beginning of a command line that runs the rest in a mount namespace in which debootstrap copies the tree."""
    program = Path(directory) / 'debootstrap'
    program.write_text(STAND_IN, encoding='utf-8')
    program.chmod(0o755)
    script = 'mount --bind "$1" /mnt; mount --bind "$2" "$3"; shift 3; exec "$@"'
    command = ['unshare', '--mount', '--propagation=private', 'sh', '-e', '-c', script, 'sh']
    return [*command, tree, program, shutil.which('debootstrap')]


def remove_tree(path):
    """Deletes a tree that was built, without following a mount that should not be there."""
    subprocess.run(['rm', '-rf', '--one-file-system', path], check=True)


def copy_sparse(source, target, offset=0, size=None):
    """Cuts a partition out of an image."""
    with open(source, 'rb') as reader, open(target, 'wb') as writer:
        size = os.fstat(reader.fileno()).st_size - offset if size is None else size
        writer.truncate(size)
        position = offset
        while position < offset + size:
            try:
                start = os.lseek(reader.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            end = min(os.lseek(reader.fileno(), start, os.SEEK_HOLE), offset + size)
            if start >= offset + size:
                break
            reader.seek(start)
            writer.seek(start - offset)
            shutil.copyfileobj(_Limited(reader, end - start), writer)
            position = end


class _Limited:
    """The next size bytes of a file."""

    def __init__(self, file, size):
        self.file, self.size = file, size

    def read(self, length):
        data = self.file.read(min(length, self.size))
        self.size -= len(data)
        return data
