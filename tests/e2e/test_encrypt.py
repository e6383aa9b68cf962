# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encrypted partitions, judged by cryptsetup: what is in them, what is not in the image, and who may know the passphrase."""

import filecmp
import json
import mmap
import os
import signal
import subprocess
import time

import memory
import project as projects
import pytest
from small import SECTOR_SIZE, Small, cut, partitions, run

MIB = 1024 * 1024
HEADER_SIZE = 16 * MIB
EPOCH = '1700000000'
SEED = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'
PASSPHRASE = 'open sesame, the 3rd'
CHEAP = '--encrypt-kdf=pbkdf2:1000'
ENCRYPT = 'Encrypting partitions'
MARKER = b'What nobody else should read: ' * 20

FILES = {
    'mkosi.extra/home/user/letter': MARKER.decode() * 500,
    'mkosi.extra/srv/www/index.html': MARKER.decode(),
    'mkosi.extra/etc/secret': MARKER.decode(),
}


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('encrypt')
    yield Small(directory, mkosi, small_distribution, FILES)
    projects.remove_tree(directory)


@pytest.fixture
def project(small, request):
    """A project with a passphrase, deleted behind the test."""
    made = small.project(request.node.name.replace('/', '-')[:60])
    made.write('mkosi.passphrase', PASSPHRASE + '\n', mode=0o600)
    yield made
    projects.remove_tree(made.directory)


def holds(path, text):
    with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text) >= 0


def cryptsetup(*words, passphrase=PASSPHRASE):
    return subprocess.run(
        ['cryptsetup', *(str(word) for word in words), '--disable-locks', '--batch-mode', '--key-file', '-'],
        input=passphrase.encode(), capture_output=True, env=projects.clean_environment(), check=False,
    )  # fmt: skip


def opens(volume, passphrase=PASSPHRASE):
    result = cryptsetup('open', '--test-passphrase', volume, passphrase=passphrase)
    assert result.returncode in (0, 2), result.stderr
    return result.returncode == 0


def decrypt(volume):
    """In place, by another program and without device mapper; the header goes to a file of its own."""
    header = volume.with_suffix('.header')
    header.unlink(missing_ok=True)
    result = cryptsetup('reencrypt', '--decrypt', '--header', header, '--force-offline-reencrypt', volume)
    assert result.returncode == 0, result.stderr
    return volume


def dump(volume):
    return run('cryptsetup', 'luksDump', '--disable-locks', volume)


CASES = [
    pytest.param('gpt_ext4', 'all', ['home', 'srv', 'root'], id='ext4-all'),
    pytest.param('gpt_ext4', 'data', ['home', 'srv'], id='ext4-data'),
    pytest.param('gpt_squashfs', 'all', ['home', 'srv', 'root'], id='squashfs-all'),
    pytest.param('gpt_btrfs', 'all', ['root'], id='btrfs-all'),
]


@pytest.mark.parametrize(('format_name', 'encrypt', 'encrypted'), CASES)
def test_content_is_that_of_a_plain_image(small, project, format_name, encrypt, encrypted):
    """Decrypted by cryptsetup, each partition is byte for byte what it is without encryption; the header comes out of
    the size that was given, and on top of one that was not."""
    words = ['--format', format_name, '--seed', SEED, '--swap-size=8M', '--manifest', CHEAP]
    words += ['--compress=no'] if format_name == 'gpt_squashfs' else []
    environment = {'SOURCE_DATE_EPOCH': EPOCH}
    data = ['--home-size=40M', '--srv-size=24M'] if format_name != 'gpt_btrfs' else []
    small.build(project, *words, *data, '--encrypt', encrypt, environment=environment)
    image, plain_image = project.directory / 'image.raw', project.directory / 'plain.raw'
    sizes = ['--home-size=24M', '--srv-size=8M'] if data else []
    small.build(project, *words, *sizes, '--output=plain.raw', environment=environment)

    assert 'No errors detected' in run('sfdisk', '--verify', image)
    names = ['swap', 'home', 'srv', 'root'] if data else ['swap', 'root']
    found, plain = dict(zip(names, partitions(image))), dict(zip(names, partitions(plain_image)))
    assert len(partitions(image)) == len(partitions(plain_image)) == len(names)
    for name in names:
        assert all(found[name].get(key) == plain[name].get(key) for key in ('type', 'uuid', 'name', 'attrs'))
        volume = cut(image, found[name], project.directory / name)
        expected = cut(plain_image, plain[name], project.directory / f'plain-{name}')
        if name in encrypted:
            assert os.path.getsize(volume) == os.path.getsize(expected) + HEADER_SIZE
            assert 'TYPE=crypto_LUKS' in run('blkid', '-p', '-o', 'export', volume)
            assert 'cipher: aes-xts-plain64' in dump(volume) and 'sector: 4096 [bytes]' in dump(volume)
            assert not opens(volume, PASSPHRASE + '\n') and opens(volume)
            decrypt(volume)
            os.truncate(volume, os.path.getsize(expected))
        elif data and name in ('home', 'srv'):
            os.truncate(expected, os.path.getsize(volume))
        assert filecmp.cmp(volume, expected, shallow=False), name
    if data:
        run('e2fsck', '-f', '-n', project.directory / 'home')

    # What all of this is for. That it is found in the plain image shows that it would be found.
    assert holds(plain_image, MARKER)
    assert holds(image, MARKER) == (encrypt == 'data')
    manifest = json.loads((project.directory / 'image.manifest').read_text(encoding='utf-8'))
    assert manifest['not_reproducible_because'] == ['keys and salts of encrypted partitions are random']
    assert [entry['type'] for entry in manifest['disk']['partitions'] if entry['encrypted']] == encrypted
    manifest = json.loads((project.directory / 'plain.manifest').read_text(encoding='utf-8'))
    assert manifest['not_reproducible_because'] == []


def test_small_sectors(small, project):
    """A size that was given stands, also where sectors of 4096 bytes do not fit into it."""
    size = 40 * MIB + SECTOR_SIZE
    small.build(project, '--encrypt=data', f'--home-size={size}', CHEAP, f'--seed={SEED}')
    home = partitions(project.directory / 'image.raw')[0]
    assert home['size'] * SECTOR_SIZE == size
    volume = cut(project.directory / 'image.raw', home, project.directory / 'home')
    assert 'sector: 512 [bytes]' in dump(volume)
    run('e2fsck', '-f', '-n', decrypt(volume))


@pytest.mark.parametrize('size', ['512', '16M', '16448K'])
def test_too_small(small, project, size):
    """The size that the message names has room for the header, and does."""
    said = small.build(project, '--encrypt=data', f'--home-size={size}', CHEAP, status=1).stderr
    assert f'HomeSize={size} is too small for the home partition, its content needs ' in said
    needed = said.split('its content needs ')[1].split(':')[0]
    assert not list(project.directory.glob('image*')) and not project.workspaces
    small.build(project, '--encrypt=data', f'--home-size={needed}', CHEAP)
    home = partitions(project.directory / 'image.raw')[0]
    assert opens(cut(project.directory / 'image.raw', home, project.directory / 'home'))


def test_key_derivation(small, project):
    small.build(project, '--encrypt=all')
    root = partitions(project.directory / 'image.raw')[-1]
    said = dump(cut(project.directory / 'image.raw', root, project.directory / 'root'))
    assert all(part in said for part in ('argon2id', 'Time cost:  4', 'Memory:     65536', 'Threads:    1'))
    small.build(project, '--encrypt=all', '--force', '--encrypt-kdf=argon2id:5', '--encrypt-kdf-memory=1M')
    root = partitions(project.directory / 'image.raw')[-1]
    said = dump(cut(project.directory / 'image.raw', root, project.directory / 'root'))
    assert all(part in said for part in ('argon2id', 'Time cost:  5', 'Memory:     1024'))


def test_never_twice_the_same(small, project):
    """The key is another one each time, so two images have no ciphertext in common."""
    words = ['--encrypt=all', CHEAP, '--seed', SEED]
    for output in ('image.raw', 'other.raw'):
        small.build(project, *words, f'--output={output}', environment={'SOURCE_DATE_EPOCH': EPOCH})
    [root] = partitions(project.directory / 'image.raw')
    assert partitions(project.directory / 'other.raw') == [
        {**root, 'node': str(project.directory / 'other.raw1')}
    ]
    volumes = [
        cut(project.directory / name, root, project.directory / name.replace('raw', 'volume'))
        for name in ('image.raw', 'other.raw')
    ]
    first, second = (volume.read_bytes()[HEADER_SIZE : HEADER_SIZE + 4 * MIB] for volume in volumes)
    assert not any(first[at : at + 16] == second[at : at + 16] for at in range(0, 4 * MIB, 4096))


@pytest.mark.parametrize('mode', [0o644, 0o640, 0o660, 0o601])
def test_file_that_others_may_read_is_refused(small, project, mode):
    (project.directory / 'mkosi.passphrase').chmod(mode)
    said = small.build(project, '--encrypt=all', status=1)
    assert f'mkosi.passphrase holds the passphrase, and has mode {mode:04o}' in said.stderr
    assert 'run: chmod 600 mkosi.passphrase' in said.stderr
    assert projects.BOOTSTRAP not in said.stderr and not project.workspaces


@pytest.mark.parametrize(
    ('content', 'fault'),
    [
        ('', 'is empty'),
        ('\n', 'is empty'),
        ('two\nlines\n', 'is more than one line of text'),
        ('x' * 513, 'is longer than 512 bytes'),
    ],
)
def test_passphrase_that_nobody_can_type_is_refused(small, project, content, fault):
    project.write('mkosi.passphrase', content, mode=0o600)
    said = small.build(project, '--encrypt=all', status=1)
    assert f'The passphrase in mkosi.passphrase {fault}' in said.stderr
    assert projects.BOOTSTRAP not in said.stderr and not project.workspaces


def test_no_terminal(small, project):
    (project.directory / 'mkosi.passphrase').unlink()
    said = small.build(project, '--encrypt=all', status=1)
    assert 'Encrypt=all needs a passphrase, and there is no terminal to ask for it' in said.stderr
    assert projects.BOOTSTRAP not in said.stderr and not project.workspaces


class Terminal:
    """mkosi at a terminal of its own, where a test types."""

    def __init__(self, small, project, *words):
        self.master, slave = os.openpty()
        self.process = subprocess.Popen(
            [str(word) for word in (*small.wrapper, small.mkosi, *words)], cwd=project.directory, stdin=slave,
            stdout=slave, stderr=slave, env=projects.clean_environment(), start_new_session=True,
            preexec_fn=projects.notice_signals,
        )  # fmt: skip
        os.close(slave)
        self.screen = ''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read(self):
        try:
            part = os.read(self.master, 4096)
        except OSError:
            part = b''
        self.screen += part.decode(errors='replace')
        return bool(part)

    def wait_for(self, text):
        start = len(self.screen)
        while text not in self.screen[start:]:
            assert self.read(), self.screen

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self):
        while self.read():
            pass
        return self.process.wait(projects.BUILD_SECONDS)


def test_asked_for_on_the_terminal(small, project):
    """Twice, before anything is installed, and without showing it."""
    (project.directory / 'mkosi.passphrase').unlink()
    with Terminal(small, project, '--encrypt=all', CHEAP) as terminal:
        terminal.wait_for('Passphrase for the encrypted partitions: ')
        assert projects.BOOTSTRAP not in terminal.screen and not project.workspaces
        terminal.type(f'{PASSPHRASE}\n')
        terminal.wait_for('The same passphrase again: ')
        terminal.type('something else\n')
        terminal.wait_for('These were two passphrases')
        terminal.type(f'{PASSPHRASE}\n')
        terminal.wait_for('The same passphrase again: ')
        terminal.type(f'{PASSPHRASE}\n')
        assert terminal.wait() == 0, terminal.screen
        assert PASSPHRASE not in terminal.screen
    [root] = partitions(project.directory / 'image.raw')
    assert opens(cut(project.directory / 'image.raw', root, project.directory / 'root'))


@pytest.mark.parametrize('typed', ['\x03', '\x04', 'half\x03'])
def test_who_types_nothing_gets_nothing(small, project, typed):
    (project.directory / 'mkosi.passphrase').unlink()
    with Terminal(small, project, '--encrypt=all') as terminal:
        terminal.wait_for('Passphrase for the encrypted partitions: ')
        if '\x03' in typed:
            # The terminal is not the controlling one, so that the signal comes from here.
            terminal.type(typed.replace('\x03', ''))
            mkosi = [
                int(process)
                for process in os.listdir('/proc')
                if process.isdigit() and is_process(process, small.mkosi, terminal.process.pid)
            ]
            os.kill(mkosi[0], signal.SIGINT)
        else:
            terminal.type(typed)
        assert terminal.wait() != 0
    assert not list(project.directory.glob('image*')) and not project.workspaces


def is_process(process, program, session):
    try:
        return (
            os.readlink(f'/proc/{process}/exe') == str(program.resolve()) and os.getsid(int(process)) == session
        )
    except OSError:
        return False


@pytest.mark.parametrize('verb', ['summary', 'json', 'plan'])
def test_nothing_is_asked_for_what_builds_nothing(small, project, verb):
    """Neither without a passphrase, nor with one that a build would refuse, nor is it shown."""
    words = ['--encrypt=all', '--release=bookworm', verb]
    assert PASSPHRASE not in project.run(*words).stdout
    project.write('mkosi.passphrase', PASSPHRASE, mode=0o666)
    project.run(*words)
    (project.directory / 'mkosi.passphrase').unlink()
    with Terminal(small, project, *words) as terminal:
        assert terminal.wait() == 0, terminal.screen
        assert 'Passphrase for the' not in terminal.screen


def test_plan_says_what_is_encrypted(project):
    said = project.run('--encrypt=data', '--home-size=1G', '--release=bookworm', 'plan').stdout
    assert ENCRYPT in said and 'home: 1G (encrypted), root: as large as its content\n' in said
    assert f'passphrase: {project.directory}/mkosi.passphrase' in said
    said = project.run('--encrypt=data', '--release=bookworm', 'plan')
    assert 'Encrypt=data has no effect without HomeSize= or SrvSize=' in said.stderr
    assert ENCRYPT not in said.stdout


def test_secrets_stay_secret(small, project):
    """The passphrase and the keys are in no file: not of the workspace while encrypting, not of the result, and not in
    what is said."""
    words = ['--encrypt=all', '--home-size=1G', CHEAP, '--manifest', '--checksum', '--debug']
    build = project.start(*words, wrapper=small.wrapper)
    try:
        build.wait_for(ENCRYPT)
        os.killpg(build.process.pid, signal.SIGSTOP)
        [workspace] = project.workspaces
        files = [path for path in workspace.rglob('*') if path.is_file() and not path.is_symlink()]
        assert workspace / 'raw' in files
        assert [path for path in files if os.path.getsize(path) and holds(path, PASSPHRASE.encode())] == []
        os.killpg(build.process.pid, signal.SIGCONT)
        assert build.wait() == 0, build.output
    finally:
        build.end()
    assert PASSPHRASE not in build.output

    secrets = [PASSPHRASE.encode()]
    for entry in partitions(project.directory / 'image.raw'):
        volume, key = cut(project.directory / 'image.raw', entry, project.directory / 'cut'), project.directory / 'key'
        key.unlink(missing_ok=True)
        result = cryptsetup('luksDump', '--dump-volume-key', '--volume-key-file', key, volume)
        assert result.returncode == 0, result.stderr
        secrets.append(key.read_bytes())
        key.unlink()
        volume.unlink()
    assert [len(secret) for secret in secrets[1:]] == [64, 64] and secrets[1] != secrets[2]
    made = [path for path in project.directory.iterdir() if path.is_file() and path.name != 'mkosi.passphrase']
    assert len(made) == 4
    assert [path for path in made for secret in secrets if holds(path, secret)] == []


def test_passphrase_is_in_no_process_of_a_sandbox(small, project):
    """mkosi has it, so that it would be found, and is the only one."""
    project.write('mkosi.postinst', memory.SCRIPT, mode=0o755)
    build = project.start('--encrypt=all', CHEAP, wrapper=small.wrapper)
    try:
        build.wait_for(memory.WAITING)
        names = memory.descendants(build.process.pid)
        found = [name for pid, name in names.items() if memory.holds_any(pid, [PASSPHRASE.encode()])]
        [workspace] = project.workspaces
        memory.proceed(workspace)
        assert build.wait() == 0, build.output
    finally:
        build.end()
    assert found == ['mkosi'] and 'sandbox' in names.values(), names


def test_interrupted_while_encrypting(small, project):
    build = project.start('--encrypt=all', '--home-size=3G', CHEAP, wrapper=small.wrapper)
    try:
        build.wait_for(ENCRYPT)
        start = time.monotonic()
        os.killpg(build.process.pid, signal.SIGINT)
        assert build.wait() != 0
        assert time.monotonic() - start < 5
    finally:
        build.end()
    assert 'Interrupted, nothing was changed' in build.output
    assert not list(project.directory.glob('image*')) and not project.workspaces


def test_disk_that_is_too_small(small, project):
    """Encrypted, a partition takes all of its size, and not only what is in it."""
    directory = project.directory / 'tmpfs'
    directory.mkdir()
    run('mount', '-t', 'tmpfs', '-o', 'size=300M', 'none', directory)
    try:
        words = ['--encrypt=data', '--home-size=600M', CHEAP, f'--output-dir={directory}']
        said = small.build(project, *words, status=1).stderr
        assert 'Cannot encrypt the home partition: No space left on device' in said and 'make room' in said
        assert list(directory.iterdir()) == []
    finally:
        run('umount', directory)


def test_needs_no_block_device_and_leaves_no_locks(small, project, mkosi):
    """Not even those who assemble volumes elsewhere do: device mapper and loop devices."""
    places = ['/run/cryptsetup', '/run/lock/cryptsetup', '/dev/mapper/control']
    before = [os.path.exists(place) for place in places]
    small.build(project, '--encrypt=all', '--home-size=20M', CHEAP)
    projects.remove_tree(project.directory / 'image.raw')
    wrapper = [*small.wrapper, mkosi.parents[1] / 'tests/tools/forbid-loop']
    project.run('--encrypt=all', '--home-size=20M', CHEAP, wrapper=wrapper)
    assert [os.path.exists(place) for place in places] == before
