# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb qemu: what is refused, what the emulator is given, what is left behind; and images that boot by it.

Most tests run a stand-in for the emulator, which notes what it was given. The others boot the guest of guest.py, which
takes seconds, and switches its machine off by itself."""

import hashlib
import json
import os
import pty
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import boot
import guest
import project as projects
import pytest
from small import Small

COMMAND_LINE = 'console=ttyS0 panic=-1'
DISTRIBUTION = '[Distribution]\nDistribution=debian\nRelease=bookworm\n\n'
SETTINGS = f'[Output]\nBootable=yes\nKernelCommandLine={COMMAND_LINE}\n\n[Partitions]\nESPSize=64M\n'
ENFORCED = 'secureboot: Secure boot enabled'
NOBODY = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups')

STAND_IN = f"""\
#!{sys.executable} -I
import json, os, re, signal, sys
words = sys.argv[1:]
[number] = re.findall(r'file=/proc/self/fd/(\\d+)', ' '.join(words))
with open('/proc/self/fd/' + number, 'r+b') as file:
    variables = file.read()
    file.seek(0)
    file.write(b'changed')
said = {{
    'words': words,
    'variables': len(variables),
    'link': os.readlink('/proc/self/fd/' + number),
    'environment': dict(os.environ),
    'umask': os.umask(0),
    'fds': sorted(int(name) for name in os.listdir('/proc/self/fd')),
    'input': sys.stdin.read(),
}}
with open(os.environ['SAID'], 'w') as file:
    json.dump(said, file)
print('it runs', flush=True)
if 'wait' in words:
    signal.pause()
sys.exit(int(os.environ.get('STATUS', 0)))
"""


class Emulated:
    """A project, and a stand-in for the emulator."""

    def __init__(self, directory, mkosi, settings=DISTRIBUTION + SETTINGS, wrapper=()):
        self.project = projects.Project(directory / 'project', mkosi, settings)
        self.wrapper = wrapper
        self.said = directory / 'said'
        program = directory / 'bin' / boot.QEMU
        program.parent.mkdir()
        program.write_text(STAND_IN, encoding='utf-8')
        program.chmod(0o755)
        path = f'{program.parent}:{projects.clean_environment()["PATH"]}'
        self.environment = {'PATH': path, 'SAID': str(self.said)}

    @property
    def image(self):
        return self.project.directory / 'image.raw'

    def put_image(self, name='image.raw'):
        path = self.project.directory / name
        path.write_bytes(b'disk')
        return path

    def run(self, *arguments, status=0, wrapper=None, **changes):
        wrapper = self.wrapper if wrapper is None else wrapper
        return self.project.run(
            *arguments, status=status, wrapper=wrapper, environment=self.environment | changes
        )

    def words(self, *arguments, **changes):
        """What the emulator was given."""
        self.run(*arguments, **changes)
        return json.loads(self.said.read_text())['words']

    def refused(self, *arguments, **keywords):
        said = self.run(*arguments, status=1, **keywords).stderr
        assert not self.said.exists()
        return said


@pytest.fixture
def emulated(mkosi, tmp_path):
    return Emulated(tmp_path, mkosi)


def value(words, option):
    """The last value of an option."""
    return [words[i + 1] for i, word in enumerate(words) if word == option][-1]


def drives(words):
    return [words[i + 1] for i, word in enumerate(words) if word == '-drive']


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_command(emulated):
    emulated.put_image()
    words = emulated.words('qemu')
    assert '-nodefaults' in words and value(words, '-serial') == 'mon:stdio' and value(words, '-m') == '2048M'
    assert value(words, '-accel') in ('kvm', 'tcg')
    code, variables, disk = drives(words)
    assert 'readonly=on' in code and code.endswith('.fd')
    assert 'readonly' not in variables
    assert disk == f'if=none,id=disk,format=raw,snapshot=on,file={emulated.image}'
    assert '-smbios' not in words


def test_settings(emulated):
    emulated.put_image('image.qcow2')
    words = emulated.words('--cpus=3', '--ram=1G', '--persistent', '--qcow2', 'qemu')
    assert value(words, '-smp') == '3' and value(words, '-m') == '1024M'
    assert drives(words)[-1].startswith('if=none,id=disk,format=qcow2,snapshot=off,')
    assert 'smm=on' not in value(words, '-machine')


def test_words_are_appended(emulated):
    emulated.put_image()
    assert emulated.words('qemu', '-m', '4G', '--force', 'summary')[-4:] == ['-m', '4G', '--force', 'summary']
    assert emulated.words('qemu', '--', '-snapshot')[-1] == '-snapshot'
    assert emulated.image.read_bytes() == b'disk'


def test_console_is_told_where_nobody_did(emulated):
    emulated.put_image()
    said = emulated.run('--kernel-command-line=quiet', 'qemu').stderr
    assert 'add console=ttyS0' in said
    words = json.loads(emulated.said.read_text())['words']
    assert value(words, '-smbios').endswith('kernel-cmdline-extra=console=ttyS0')


def test_secure_boot(emulated):
    emulated.put_image()
    emulated.project.run('genkey')
    words = emulated.words('--secure-boot', 'qemu')
    assert value(words, '-machine') == 'q35,smm=on'
    assert 'driver=cfi.pflash01,property=secure,value=on' in words
    assert 'secboot' in drives(words)[0] and '.ms.' not in ' '.join(words)


def test_what_it_inherits(emulated):
    """The environment, the caller's umask, and of descriptors the lock of the image, and the variables, which have no
    name anywhere."""
    emulated.put_image()
    before = sorted(emulated.project.directory.rglob('*'))
    emulated.run('qemu', TEAPOT='short and stout')
    said = json.loads(emulated.said.read_text())
    assert said['environment']['TEAPOT'] == 'short and stout'
    assert said['umask'] == 0o022
    assert said['variables'] == boot.FIRMWARE_VARIABLES.stat().st_size
    assert said['link'].startswith('/memfd:') and said['link'].endswith('(deleted)')
    # The three standard ones, the variables, the lock, and that of the directory which was listed.
    assert len(said['fds']) == 6
    assert sorted(emulated.project.directory.rglob('*')) == before
    assert not boot.FIRMWARE_VARIABLES.read_bytes().startswith(b'changed')


@pytest.mark.parametrize('words', [[], ['--persistent']])
def test_locks_the_image(emulated, words):
    """As long as the machine runs: shared unless it writes to the image."""
    emulated.put_image()
    run = emulated.project.start(*words, 'qemu', 'wait', environment=emulated.environment)
    try:
        run.wait_for('it runs')
        emulated.said.unlink()
        pid = run.process.pid
        assert f'in use by process {pid}' in emulated.refused('--persistent', 'qemu')
        if words:
            assert f'changed or replaced by process {pid}' in emulated.refused('qemu')
        else:
            emulated.run('qemu')
        assert f'is being run by process {pid}' in emulated.run('clean', status=1).stderr
        assert emulated.image.exists()
        run.kill(signal.SIGKILL)
        run.wait(60)
    finally:
        run.end()
    emulated.run('--persistent', 'qemu')


@pytest.mark.parametrize('status', [0, 3, 77])
def test_exit_status_is_the_emulators(emulated, status):
    emulated.put_image()
    emulated.run('qemu', status=status, STATUS=str(status))


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted(emulated, number):
    """The process is the emulator's: it gets the signal, and nothing is left."""
    emulated.put_image()
    before = sorted(emulated.project.directory.rglob('*'))
    run = emulated.project.start('qemu', 'wait', environment=emulated.environment)
    try:
        run.wait_for('it runs')
        run.kill(number)
        ended = run.wait(60)
    finally:
        run.end()
    # Python makes an exception of SIGINT, and ends by it all the same.
    assert ended == -number, run.output
    assert 'Interrupted' not in run.output
    assert sorted(emulated.project.directory.rglob('*')) == before


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['--bootable=no'], 'Without Bootable=yes'),
        (['--bootable=no', '--format=tar'], 'Format=tar (command line, --format) is no disk image'),
        (['--bootable=no', '--format=directory'], 'is no disk image'),
        (['--bootable=no', '--format=plain_squashfs'], 'is no disk image'),
        (['--xz'], '"xz --decompress --keep image.raw.xz"'),
        (['--compress-output=zstd', '--qcow2'], '"mkosi --compress-output=no --output=./image.qcow2 qemu"'),
    ],
)
def test_refused(emulated, arguments, text):
    said = emulated.refused(*arguments, 'qemu')
    assert text in said
    assert said.count('error: ') == 1


def test_all_reasons_at_once(emulated, root_user):
    """Also those of the host, each with the package that has what is missing."""
    hide = f'mount --bind /dev/null {shutil.which(boot.QEMU)}; mount -t tmpfs tmpfs {boot.FIRMWARE.parent}; exec "$@"'
    wrapper = ['unshare', '--mount', 'sh', '-ec', hide, 'sh']
    emulated.environment = {}
    said = emulated.refused('--bootable=no', 'qemu', wrapper=wrapper)
    assert 'Without Bootable=yes' in said
    assert f'Program {boot.QEMU} is missing, install package qemu-system-x86' in said
    assert 'architecture x86_64 was found, install package ovmf' in said


def test_broken_description_of_firmware(emulated, tmp_path):
    emulated.put_image()
    broken = tmp_path / 'config/qemu/firmware/00-broken.json'
    broken.parent.mkdir(parents=True)
    broken.write_text('{"mapping": 1}')
    said = emulated.run('qemu', XDG_CONFIG_HOME=str(tmp_path / 'config')).stderr
    assert f'{broken}: ' in said
    assert emulated.said.exists()


def test_not_a_file(emulated):
    emulated.image.mkdir()
    assert 'is no file' in emulated.refused('qemu')


@pytest.fixture
def everybodys(mkosi, root_user):
    """A project that others may read, and a program of theirs."""
    with tempfile.TemporaryDirectory(prefix='mkosi-qemu-') as directory:
        directory = Path(directory)
        directory.chmod(0o755)
        shutil.copy(mkosi, directory / 'mkosi')
        emulated = Emulated(directory, directory / 'mkosi', wrapper=NOBODY)
        emulated.environment['HOME'] = '/nonexistent'
        emulated.said = directory / 'said/by-nobody'
        emulated.environment['SAID'] = str(emulated.said)
        emulated.said.parent.mkdir()
        os.chown(emulated.said.parent, 65534, 65534)
        yield emulated


def test_needs_no_root(everybodys):
    everybodys.put_image()
    words = everybodys.words('qemu')
    assert value(words, '-accel') == 'tcg'


def test_nobody_without_image(everybodys):
    said = everybodys.refused('qemu')
    assert said == f'mkosi: error: {everybodys.image} is not there: "sudo mkosi", with the same options, builds it\n'


def test_access(everybodys):
    everybodys.put_image()
    assert 'leave out --persistent' in everybodys.refused('--persistent', 'qemu')
    everybodys.image.chmod(0o600)
    assert 'Cannot read' in everybodys.refused('qemu')


@pytest.fixture(scope='module')
def small(mkosi, small_bootable_distribution, image_directory):
    return Small(image_directory / 'small-qemu', mkosi, small_bootable_distribution, {})


def test_builds_what_is_missing(small, tmp_path):
    emulated = Emulated(tmp_path, small.mkosi, small.distribution.settings + SETTINGS, small.wrapper)
    emulated.words('qemu')
    first = emulated.image.stat().st_ino
    emulated.words('qemu')
    assert emulated.image.stat().st_ino == first
    assert '-snapshot' in emulated.words('--force', 'qemu', '-snapshot')
    assert emulated.image.stat().st_ino != first
    assert emulated.project.workspaces == []
    projects.remove_tree(emulated.project.directory)


@pytest.fixture
def console():
    if lacks := boot.missing():
        pytest.fail(f'images cannot be booted here: {lacks} is not there')


class Terminal:
    """mkosi on a terminal of its own."""

    def __init__(self, project, *arguments):
        self.text = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(project.directory)
            projects.notice_signals()
            os.execve(project.mkosi, [project.mkosi, *arguments], projects.clean_environment())

    def wait_for(self, pattern):
        """Ends with the machine at the latest."""
        while not re.search(pattern, boot.ESCAPE_SEQUENCE.sub('', self.text)):
            assert self.read(), f'it ended before "{pattern}" was said:\n{self.text}'

    def read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return False
        self.text += data.decode('utf-8', 'replace')
        return bool(data)

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        while self.read():
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = None
        return status

    def end(self):
        os.close(self.fd)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def test_terminal(emulated, console):
    """Ctrl-C is for the guest, Ctrl-A C changes to the monitor and back, Ctrl-A X is the end. What boots is an empty
    disk, so that the firmware comes to its shell."""
    os.truncate(emulated.put_image(), 1 << 20)
    terminal = Terminal(emulated.project, 'qemu')
    try:
        terminal.wait_for('Ctrl-A X ends the machine')
        terminal.wait_for('Shell> ')
        terminal.send('\x03\x01cinfo name\n')
        terminal.wait_for(r'\(qemu\) ')
        terminal.send('\x01x')
        assert terminal.wait() == 0
    finally:
        terminal.end()
    assert emulated.image.stat().st_size == 1 << 20


def plain_text(said):
    return boot.ESCAPE_SEQUENCE.sub('', said.stdout)


def test_boots(small, console, tmp_path):
    """And the image stays as it is: the firmware writes to nothing but its variables, the guest to a temporary file."""
    project = projects.Project(tmp_path / 'boots', small.mkosi, small.distribution.settings + SETTINGS)
    small.build(project)
    image = project.directory / 'image.raw'
    before = digest(image)
    said = project.run('qemu')
    assert guest.MARKER in plain_text(said)
    assert f'Command line: {COMMAND_LINE}' in plain_text(said)
    assert digest(image) == before
    projects.remove_tree(project.directory)


def test_boots_with_secure_boot(small, console, tmp_path):
    """The firmware has no keys, takes those that the image brings, starts again, and then checks what it runs."""
    settings = small.distribution.settings + SETTINGS.replace(
        '\n\n[Partitions]', '\nSecureBoot=yes\nSecureBootAutoEnroll=force\n\n[Partitions]'
    )
    project = projects.Project(tmp_path / 'secure', small.mkosi, settings)
    project.run('genkey')
    small.build(project)
    before = digest(project.directory / 'image.raw')
    said = plain_text(project.run('qemu'))
    assert ENFORCED in said and guest.MARKER in said
    assert digest(project.directory / 'image.raw') == before
    projects.remove_tree(project.directory)
