# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images in containers: commands in every format, a whole Debian on a console, and that nothing stays behind."""

import glob
import hashlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import conftest
import project as projects
import pytest
from small import Small, run
from test_outputs import btrfs_directory  # noqa: F401  pylint: disable=unused-import

FORMATS = {
    'directory': [],
    'tar': ['--compress-output=zstd'],
    'gpt_ext4': ['--home-size=8M', '--srv-size=8M'],
    'gpt_btrfs': ['--compress=zstd'],
    'gpt_squashfs': ['--home-size=8M', '--verity'],
    'plain_squashfs': [],
}
BOOT_SECONDS = 300


def leftovers():
    """What a container makes outside of itself."""
    [cgroups] = re.findall(r' (\S+) \S+ - cgroup2 ', Path('/proc/self/mountinfo').read_text(encoding='utf-8'))[:1] or ['']
    found = glob.glob('/var/tmp/mkosi-run-*')
    if cgroups:
        found += glob.glob(f'{cgroups}/**/mkosi-run-*', recursive=True)
    loops = subprocess.run(['losetup', '--list', '--noheadings'], capture_output=True, text=True, check=False).stdout
    return found + [line for line in loops.splitlines() if 'container' in line]


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    deadline = time.monotonic() + 20
    # Loop devices detach themselves a moment later.
    while leftovers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert leftovers() == []


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('container')
    yield Small(directory, mkosi, small_distribution, {'mkosi.extra/etc/marker': 'extra\n'})
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def outputs(small):
    """Those of all formats, each built when it is wanted."""
    made = {}

    def build(name):
        if name not in made:
            made[name] = small.project(name, f'[Output]\nFormat={name}\nOutput=image\nHostname=teapot\n')
            small.build(made[name], *FORMATS[name])
        return made[name]

    return build


def digest(path):
    """Of a file; of a directory the names, sizes and times of what lies in it."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return run('find', path, '-printf', '%P %y %s %m %U %T@\n')


INSIDE = """\
cat /etc/marker /proc/sys/kernel/hostname
id -u
pwd
ls /sys/class/net
echo written >/etc/new
echo written >/home/new
mkdir -p /srv; echo written >/srv/new
cat /etc/new
echo to-stderr >&2
cat
exit 7
"""


@pytest.mark.parametrize('name', FORMATS)
def test_shell(outputs, name):
    """The command finds the image as its root, and may write; its status, and what it reads and writes, is passed on."""
    project = outputs(name)
    before = digest(project.directory / 'image')
    said = subprocess.run(
        [project.mkosi, 'shell', 'sh', '-c', INSIDE], cwd=project.directory, input=b'\0binary\xff', capture_output=True,
        env=projects.clean_environment(), check=False,
    )  # fmt: skip
    assert said.returncode == 7, said.stderr
    assert said.stdout == b'extra\nteapot\n0\n/root\nlo\nwritten\n\0binary\xff' and said.stderr == b'to-stderr\n'
    assert digest(project.directory / 'image') == before


@pytest.mark.parametrize('name', ['directory', 'gpt_ext4', 'gpt_btrfs'])
def test_persistent(small, name):
    project = small.project(f'persistent-{name}', f'[Output]\nFormat={name}\nOutput=image\n')
    small.build(project, *FORMATS[name])
    project.run('--persistent', 'shell', 'sh', '-c', 'echo kept >/etc/new; echo kept >/home/new')
    assert project.run('shell', 'cat', '/etc/new', '/home/new').stdout == 'kept\nkept\n'
    projects.remove_tree(project.directory)


def test_subvolume(small, btrfs_directory):  # noqa: F811  pylint: disable=redefined-outer-name
    project = small.project('subvolume', f'[Output]\nFormat=subvolume\nOutput={btrfs_directory}/image\nReadOnly=yes\n')
    small.build(project)
    said = project.run('shell', 'sh', '-c', 'cat /etc/marker; echo x >/etc/new; echo x >/var/new; cat /var/new')
    assert said.stdout == 'extra\nx\n'
    assert not (btrfs_directory / 'image/etc/new').exists()
    small.build(project, 'clean')


def test_builds_what_is_missing(small):
    project = small.project('missing', '[Output]\nFormat=directory\nOutput=image\n')
    assert small.build(project, 'shell', 'cat', '/etc/marker').stdout == 'extra\n'
    project.write('mkosi.extra/etc/marker', 'new\n')
    assert small.build(project, 'shell', 'cat', '/etc/marker').stdout == 'extra\n'
    assert small.build(project, '--force', 'shell', 'cat', '/etc/marker').stdout == 'new\n'


def test_network(outputs):
    project = outputs('directory')
    interfaces = ' '.join(sorted(os.listdir('/sys/class/net')))
    said = project.run('--with-network', 'shell', 'sh', '-c', 'echo $(ls /sys/class/net)').stdout
    assert said.strip() == interfaces


@pytest.mark.parametrize(
    'words, reason',
    [
        (['--format=gpt_ext4', '--xz', '--output=image.raw.xz'], 'build it with CompressOutput=no'),
        (['--format=gpt_ext4', '--qcow2', '--output=image.qcow2'], 'only the verb qemu can read it'),
        (['--format=gpt_ext4', '--encrypt=all'], 'take the verb qemu'),
        (['--format=tar', '--persistent'], 'leave the option out'),
    ],
)
def test_refusals(outputs, words, reason):
    """Before anything is built."""
    project = outputs('directory')
    project.write('mkosi.passphrase', 'x', 0o600)
    assert reason in project.run(*words, 'shell', 'true', status=1).stderr


def test_what_goes_wrong(outputs):
    project = outputs('gpt_ext4')
    assert f'"/none" in {project.directory}/image: not found' in project.run('shell', '/none', status=127).stderr
    assert 'There is no init in' in project.run('boot', status=1).stderr
    broken = project.directory / 'broken'
    broken.write_bytes(b'\0' * 1024 * 1024)
    assert f'Cannot open {broken}: ' in project.run('--output=broken', 'shell', 'true', status=1).stderr
    broken.unlink()


class Terminal:
    """mkosi on a terminal, as somebody sits at it."""

    def __init__(self, command, directory):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            projects.notice_signals()
            os.chdir(directory)
            os.execvpe(str(command[0]), [str(word) for word in command], projects.clean_environment(TERM='linux'))
        self.text = ''

    def wait_for(self, pattern, timeout=BOOT_SECONDS):
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f'no {pattern} in time:\n{self.text}'
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b''
                assert data, f'it ended without {pattern}:\n{self.text}'
                self.text += data.decode('utf-8', 'replace')

    def type(self, text):
        self.text = ''
        os.write(self.fd, text.encode())

    def wait(self):
        """Reads until the end: who does not read holds it up."""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode('utf-8', 'replace')
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_shell_on_a_terminal(outputs):
    project = outputs('directory')
    terminal = Terminal([project.mkosi, 'shell'], project.directory)
    try:
        terminal.wait_for('# ', timeout=60)
        terminal.type('tty; echo $((6 * 7)); exit 3\n')
        assert terminal.wait() == 3
        assert '/dev/console\r\n42\r\n' in terminal.text
    finally:
        os.close(terminal.fd)


def test_keys_end_it(outputs):
    project = outputs('directory')
    terminal = Terminal([project.mkosi, 'shell', 'sh', '-c', 'trap "" INT; echo ready; sleep 1000'], project.directory)
    try:
        terminal.wait_for('ready', timeout=60)
        # Ctrl-C is for what runs inside, and that does not want to know.
        terminal.type('\x03')
        terminal.wait_for(re.escape('^C'), timeout=60)
        terminal.type('\x1d\x1d\x1d')
        assert terminal.wait() == 128 + signal.SIGKILL
    finally:
        os.close(terminal.fd)


def test_boot(bootable_image):
    """Debian's systemd, without a failed unit, to its last target; then it switches itself off."""
    before = digest(bootable_image.path)
    said = bootable_image.project.run('boot', timeout=BOOT_SECONDS)
    assert conftest.MARKER in said.stdout
    facts = conftest.facts(said.stdout)
    assert facts['hostname'] == 'teapot' and facts['failed'].strip() == ''
    assert facts['root'].split()[0] == 'overlay'
    assert digest(bootable_image.path) == before


@pytest.fixture(scope='module')
def systems(mkosi, debian_settings, bootable_image, tmp_path_factory):
    """The tree of the bootable image in every format, without installing it again."""
    directory = tmp_path_factory.mktemp('systems')
    made = {}

    def build(name):
        if name not in made:
            settings = f'[Output]\nFormat={name}\nOutput=image\nHostname=teapot\n'
            made[name] = projects.Project(directory / name, mkosi, debian_settings + settings)
            made[name].run(*FORMATS[name], wrapper=projects.stand_in(directory, bootable_image.tree))
        return made[name]

    yield build
    projects.remove_tree(directory)


@pytest.mark.parametrize('words', [[], ['--with-network']], ids=['own-network', 'host-network'])
@pytest.mark.parametrize('name', FORMATS)
def test_boot_formats(systems, name, words):
    """Up to the last target without a failed unit, and down again; nothing is written to the image."""
    project = systems(name)
    before = digest(project.directory / 'image')
    said = project.run(*words, 'boot', timeout=BOOT_SECONDS)
    facts = conftest.facts(said.stdout)
    assert conftest.MARKER in said.stdout
    assert facts['hostname'] == 'teapot' and facts['failed'].strip() == ''
    assert re.fullmatch('[0-9a-f]{32}', facts['machine-id'])
    assert digest(project.directory / 'image') == before


def test_boot_subvolume(mkosi, debian_settings, bootable_image, btrfs_directory, tmp_path):  # noqa: F811
    """As the other formats, and the subvolume is as it was."""
    settings = f'[Output]\nFormat=subvolume\nOutput={btrfs_directory}/system\nReadOnly=yes\nHostname=teapot\n'
    project = projects.Project(tmp_path / 'subvolume', mkosi, debian_settings + settings)
    stand_in = projects.stand_in(tmp_path, bootable_image.tree)
    project.run(wrapper=stand_in)
    before = digest(btrfs_directory / 'system')
    said = project.run('boot', timeout=BOOT_SECONDS)
    facts = conftest.facts(said.stdout)
    assert conftest.MARKER in said.stdout
    assert facts['hostname'] == 'teapot' and facts['failed'].strip() == ''
    assert digest(btrfs_directory / 'system') == before
    project.run('clean', wrapper=stand_in)


def test_log_in(bootable_image):
    # The marker's unit would switch it off.
    words = ['systemd.mask=boot-marker.service']
    terminal = Terminal([bootable_image.project.mkosi, 'boot', *words], bootable_image.project.directory)
    try:
        terminal.wait_for('teapot login: ')
        terminal.type('root\n')
        terminal.wait_for('Password: ')
        terminal.type(f'{conftest.PASSWORD}\n')
        terminal.wait_for('root@teapot.*# ')
        terminal.type('systemctl is-system-running; tty; cat /proc/1/cgroup; systemd-detect-virt\n')
        terminal.wait_for('container-other')
        assert 'running\r\n' in terminal.text and '/dev/console' in terminal.text
        assert '0::/init.scope' in terminal.text
        # The journal begins with the system; who logs in owns the console, and knows what it can do.
        terminal.type("journalctl -b -q _PID=1 | wc -l; stat -c %U:%a /dev/console; echo $TERM:; hostname; echo D''ONE\n")
        terminal.wait_for('DONE')
        assert re.search(r'[\r\n][1-9][0-9]*\r\nroot:6[02]0\r\nlinux:\r\nteapot\r\n', terminal.text), terminal.text
        terminal.type('poweroff\n')
        assert terminal.wait() == 0
    finally:
        os.close(terminal.fd)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_shuts_down(bootable_image, number):
    """In its own way, when mkosi is asked to end."""
    words = ['systemd.mask=boot-marker.service', 'systemd.show_status=yes']
    boot = bootable_image.project.start('boot', *words)
    try:
        boot.wait_for('Graphical Interface')
        boot.kill(number)
        assert boot.wait(BOOT_SECONDS) == 0, boot.output
        assert 'Asking the system to shut down' in boot.output and 'Reached target' in boot.output
    finally:
        boot.end()
