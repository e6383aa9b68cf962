# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secure Boot: what is signed, judged by sbverify, osslsigncode, pesign and openssl, and by firmware that enrolls our
keys and refuses what was not signed with them.

What is built is the small distribution of aptrepo.py with a real kernel, so that a build takes seconds."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import boot
import guest
import memory
import pkcs11
import project as projects
import pytest
from small import SECTOR_SIZE, Small, esp, partitions, programs, run

EPOCH = '1700000000'
COMMAND_LINE = 'console=ttyS0 panic=-1 test.word=1'
SETTINGS = f"""\
[Output]
Bootable=yes
KernelCommandLine={COMMAND_LINE}

[Partitions]
ESPSize=64M
"""
PASSPHRASE = 'tea-and-biscuits'
PROGRAMS = ('EFI/BOOT/BOOTX64.EFI', 'EFI/systemd/systemd-bootx64.efi')
ENFORCED = 'secureboot: Secure boot enabled'


def refuses(*command):
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, env=projects.clean_environment()
    )
    return result.returncode != 0


class Signed(projects.Project):
    """A project whose images boot, with what its builds share."""

    def __init__(self, directory, small, settings=''):
        super().__init__(directory, small.mkosi, small.distribution.settings + SETTINGS + settings)
        self.wrapper = small.wrapper

    def genkey(self, *arguments):
        super().run('genkey', *arguments)
        return self

    def build(self, name='image.raw', *arguments, **keywords):
        super().run('--force', '--output', name, *arguments, wrapper=self.wrapper, **keywords)
        return self.directory / name


@pytest.fixture(scope='module')
def small(mkosi, small_bootable_distribution, image_directory):
    """Builds that copy what was installed once, kernel and all."""
    return Small(image_directory / 'small-bootable', mkosi, small_bootable_distribution, {})


@pytest.fixture(scope='module')
def project(small, image_directory):
    """With a key, and a foreign one beside it."""
    made = Signed(image_directory / 'secure-boot', small)
    made.genkey()
    made.genkey('--secure-boot-key=foreign.key', '--secure-boot-certificate=foreign.crt')
    return made


@pytest.fixture(scope='module')
def signed_image(project):
    return project.build(
        'signed.raw', '--secure-boot', '--secure-boot-auto-enroll=force', environment={'SOURCE_DATE_EPOCH': EPOCH}
    )


@pytest.fixture(scope='module')
def signed_esp(signed_image, image_directory):
    return esp(signed_image, image_directory)


@pytest.fixture(scope='module')
def unsigned_image(project):
    return project.build('unsigned.raw')


@pytest.fixture(scope='module')
def foreign_image(project):
    return project.build(
        'foreign.raw', '--secure-boot', '--secure-boot-key=foreign.key', '--secure-boot-certificate=foreign.crt'
    )


def test_all_programs_are_signed(project, signed_esp, foreign_tool):
    found = programs(signed_esp)
    assert len(found) == 3
    assert all((signed_esp / name) in found for name in PROGRAMS)
    certificate = project.directory / 'mkosi.secure-boot.crt'
    for path in found:
        assert 'Signature verification OK' in run(foreign_tool('sbverify'), '--cert', certificate, path)
        assert refuses(foreign_tool('sbverify'), '--cert', project.directory / 'foreign.crt', path)
        said = run(foreign_tool('osslsigncode'), 'verify', '-CAfile', certificate, '-in', path)
        assert 'Signature verification: ok' in said and 'MISMATCH' not in said and 'invalid PE checksum' not in said
        assert 'Secure Boot key made by mkosi' in run(foreign_tool('pesign'), '-S', '-i', path)


def test_boot_loader_is_what_was_signed(signed_esp):
    first, second = ((signed_esp / name).read_bytes() for name in PROGRAMS)
    assert first == second
    original = open('/usr/lib/systemd/boot/efi/systemd-bootx64.efi', 'rb').read()
    assert first[512 : len(original)] == original[512:]


def test_every_judge_sees_a_changed_command_line(project, signed_esp, foreign_tool, tmp_path):
    [kernel] = (signed_esp / 'EFI/Linux').iterdir()
    content = bytearray(kernel.read_bytes())
    content[content.index(COMMAND_LINE.encode())] ^= 1
    changed = tmp_path / 'changed.efi'
    changed.write_bytes(content)
    certificate = project.directory / 'mkosi.secure-boot.crt'
    assert refuses(foreign_tool('sbverify'), '--cert', certificate, changed)
    assert refuses(foreign_tool('osslsigncode'), 'verify', '-CAfile', certificate, '-in', changed)


def test_enrollment_files(project, signed_esp, foreign_tool, tmp_path):
    assert (signed_esp / 'loader/loader.conf').read_text() == 'secure-boot-enroll force\n'
    der = tmp_path / 'certificate.der'
    run('openssl', 'x509', '-in', project.directory / 'mkosi.secure-boot.crt', '-outform', 'DER', '-out', der)
    for name in ('PK', 'KEK', 'db'):
        content = (signed_esp / f'loader/keys/auto/{name}.auth').read_bytes()
        assert content.endswith(der.read_bytes())
        # EFI_TIME: 2023-11-14 22:13:20
        assert content[:16] == bytes([0xE7, 0x07, 11, 14, 22, 13, 20]) + bytes(9)


def test_same_bytes_again(project, signed_image):
    again = project.build(
        f'again/{signed_image.name}', '--secure-boot', '--secure-boot-auto-enroll=force',
        environment={'SOURCE_DATE_EPOCH': EPOCH},
    )  # fmt: skip
    run('cmp', signed_image, again)
    again.unlink()


@pytest.mark.parametrize(
    'policy, ours, theirs', [('append', True, True), ('replace', True, False), ('keep', False, True)]
)
def test_programs_that_are_signed_already(project, foreign_tool, tmp_path, policy, ours, theirs):
    """The boot loader of the tree is signed by others."""
    loader = project.directory / 'mkosi.extra/usr/lib/systemd/boot/efi/systemd-bootx64.efi'
    loader.parent.mkdir(parents=True)
    try:
        run(
            foreign_tool('sbsign'), '--key', project.directory / 'foreign.key', '--cert',
            project.directory / 'foreign.crt', '--output', loader, '/usr/lib/systemd/boot/efi/systemd-bootx64.efi',
        )  # fmt: skip
        tree = esp(project.build('already.raw', '--secure-boot', f'--secure-boot-sign={policy}'), tmp_path)
    finally:
        shutil.rmtree(project.directory / 'mkosi.extra')
        (project.directory / 'already.raw').unlink(missing_ok=True)
    for name in PROGRAMS:
        for certificate, expected in (('mkosi.secure-boot.crt', ours), ('foreign.crt', theirs)):
            path = project.directory / certificate
            assert refuses(foreign_tool('sbverify'), '--cert', path, tree / name) != expected
    [kernel] = (tree / 'EFI/Linux').iterdir()
    run(foreign_tool('sbverify'), '--cert', project.directory / 'mkosi.secure-boot.crt', kernel)


@pytest.fixture(scope='module')
def enrolled(signed_image, virtual_machine, image_directory):
    """The firmware's variables after systemd-boot has enrolled our keys into an empty store; the image boots then."""
    variables = image_directory / 'enrolled.fd'
    shutil.copyfile(boot.FIRMWARE_VARIABLES, variables)
    with virtual_machine(signed_image, secure_variables=variables) as machine:
        machine.wait_for(ENFORCED, timeout=180)
        # Before that the firmware was not in user mode: nothing was enforced.
        assert machine.text.count(ENFORCED) == 1
    return variables


@pytest.fixture
def secure_machine(enrolled, virtual_machine, tmp_path):
    def start(image):
        variables = tmp_path / 'variables.fd'
        shutil.copyfile(enrolled, variables)
        return virtual_machine(image, secure_variables=variables)

    return start


def test_firmware_boots_what_we_signed(signed_image, secure_machine):
    with secure_machine(signed_image) as machine:
        machine.wait_for(ENFORCED, timeout=120)
        machine.wait_for(guest.MARKER, timeout=60)
    assert f'Command line: {COMMAND_LINE}' in machine.text


def test_firmware_refuses_what_is_not_signed(unsigned_image, secure_machine):
    with secure_machine(unsigned_image) as machine:
        machine.wait_for('Access Denied', timeout=120)
    assert 'Linux version' not in machine.text


def test_firmware_refuses_what_others_signed(foreign_image, secure_machine):
    with secure_machine(foreign_image) as machine:
        machine.wait_for('Access Denied', timeout=120)
    assert 'Linux version' not in machine.text


def test_firmware_refuses_another_command_line(signed_image, secure_machine, tmp_path):
    """One bit in the kernel command line, and nothing else."""
    changed = tmp_path / 'changed.raw'
    projects.copy_sparse(signed_image, changed)
    start, size = (partitions(changed)[0][key] * SECTOR_SIZE for key in ('start', 'size'))
    with open(changed, 'r+b') as file:
        file.seek(start)
        content = file.read(size)
        assert content.count(COMMAND_LINE.encode()) == 1
        at = content.index(COMMAND_LINE.encode())
        file.seek(start + at)
        file.write(bytes([content[at] ^ 1]))
    with secure_machine(changed) as machine:
        machine.wait_for('(?i)error loading .*access denied', timeout=120)
    assert 'Linux version' not in machine.text


def private_bytes(key):
    """Parts of a private RSA key that are in no public one, as bytes and as they stand in the PEM file."""
    der = subprocess.run(
        ['openssl', 'rsa', '-in', key, '-traditional', '-outform', 'DER'], capture_output=True, check=True
    ).stdout
    # Version, modulus and public exponent come first.
    parts = [der[at : at + 32] for at in range(300, len(der) - 32, 32)]
    return parts + [line.encode() for line in key.read_text().splitlines() if len(line) == 64]


def holds_any(path, parts):
    content = path.read_bytes()
    return any(part in content for part in parts)


def test_private_key_is_nowhere(small, tmp_path):
    """Neither in the image, nor beside it, nor in what is said, nor in the workspace while the image is made."""
    secret = Signed(tmp_path / 'secret', small, '[Output]\nSecureBoot=yes\nManifest=yes\n')
    secret.write('mkosi.secure-boot.passphrase', PASSPHRASE + '\n', mode=0o600)
    secret.genkey()
    key = secret.directory / 'mkosi.secure-boot.key'
    plain = tmp_path / 'plain.key'
    run('openssl', 'pkey', '-in', key, '-passin', f'pass:{PASSPHRASE}', '-out', plain)
    parts = [*private_bytes(plain), PASSPHRASE.encode(), *key.read_bytes().splitlines()[1:-1]]
    assert len(parts) > 40 and holds_any(plain, parts) and holds_any(key, parts)

    build = secret.start('--debug', wrapper=secret.wrapper)
    try:
        build.wait_for('Finishing the image')
        build.kill(signal.SIGSTOP)
        [workspace] = secret.workspaces
        files = [path for path in workspace.rglob('*') if path.is_file() and not path.is_symlink()]
        found = [path for path in files if holds_any(path, parts)]
        build.kill(signal.SIGCONT)
        assert build.wait() == 0, build.output
    finally:
        build.end()
    assert found == []
    assert not any(part.decode('latin-1') in build.output for part in parts)
    assert secret.workspaces == []
    beside = {'mkosi.secure-boot.key', 'mkosi.secure-boot.passphrase'}
    for path in secret.directory.rglob('*'):
        if path.is_file() and path.name not in beside:
            assert not holds_any(path, parts), path
    for name in beside:
        assert (secret.directory / name).stat().st_mode & 0o077 == 0
    for verb in ('summary', 'json', 'plan'):
        said = secret.run(verb)
        assert not any(part.decode('latin-1') in said.stdout + said.stderr for part in parts)
    projects.remove_tree(secret.directory)


def test_private_key_is_in_no_process_but_its_keeper(small, tmp_path):
    """While a script of the build runs, neither mkosi nor anything that it began has key or passphrase in its memory."""
    secret = Signed(tmp_path / 'secret', small, '[Output]\nSecureBoot=yes\n')
    secret.write('mkosi.secure-boot.passphrase', PASSPHRASE + '\n', mode=0o600)
    secret.write('mkosi.postinst', memory.SCRIPT, mode=0o755)
    secret.genkey()
    plain = tmp_path / 'plain.key'
    run(
        'openssl', 'pkey', '-in', secret.directory / 'mkosi.secure-boot.key', '-passin', f'pass:{PASSPHRASE}',
        '-out', plain,
    )  # fmt: skip
    parts = [*private_bytes(plain), PASSPHRASE.encode()]

    build = secret.start(wrapper=secret.wrapper)
    try:
        build.wait_for(memory.WAITING)
        names = memory.descendants(build.process.pid)
        found = [name for pid, name in names.items() if memory.holds_any(pid, parts)]
        [workspace] = secret.workspaces
        memory.proceed(workspace)
        assert build.wait() == 0, build.output
    finally:
        build.end()
    # The keeper shows that what is there would be found.
    assert found == ['keeper'] and {'mkosi', 'sandbox'} <= set(names.values()), names
    projects.remove_tree(secret.directory)


class Terminal:
    """mkosi on a terminal of its own."""

    def __init__(self, project, *arguments):
        self.text = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(project.directory)
            words = [str(word) for word in (*project.wrapper, project.mkosi, *arguments)]
            os.execvpe(words[0], words, projects.clean_environment())

    def wait_for(self, pattern, timeout=120):
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f'"{pattern}" was not said:\n{self.text}'
            assert self._read(), f'it ended before "{pattern}" was said:\n{self.text}'

    def _read(self):
        if not select.select([self.fd], [], [], 1)[0]:
            return True
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return False
        self.text += data.decode('utf-8', 'replace')
        return bool(data)

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        while self._read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def encrypted(small, tmp_path):
    """A project whose key is encrypted, without a file with its passphrase."""
    made = Signed(tmp_path / 'encrypted', small)
    passphrase = made.write('mkosi.secure-boot.passphrase', PASSPHRASE, mode=0o600)
    made.genkey()
    passphrase.unlink()
    yield made
    projects.remove_tree(made.directory)


def test_passphrase_is_asked_for_once(encrypted, foreign_tool, tmp_path):
    terminal = Terminal(encrypted, '--secure-boot')
    terminal.wait_for('Passphrase of the key mkosi.secure-boot.key: ')
    assert 'Installing' not in terminal.text
    terminal.send('wrong\n')
    terminal.wait_for('is not the passphrase(.|\n)*Passphrase of')
    terminal.send(PASSPHRASE + '\n')
    assert terminal.wait() == 0, terminal.text
    assert PASSPHRASE not in terminal.text
    assert terminal.text.count('Passphrase of the key') == 2
    for path in programs(esp(encrypted.directory / 'image.raw', tmp_path)):
        run(foreign_tool('sbverify'), '--cert', encrypted.directory / 'mkosi.secure-boot.crt', path)


@pytest.mark.parametrize('verb', ['summary', 'json', 'plan'])
def test_nobody_is_asked_for_what_is_shown(encrypted, verb):
    terminal = Terminal(encrypted, verb, '--secure-boot')
    assert terminal.wait() == 0
    assert 'Passphrase of' not in terminal.text


def test_no_terminal_to_ask_on(encrypted):
    said = encrypted.run('--secure-boot', status=1, wrapper=encrypted.wrapper).stderr
    assert 'mkosi.secure-boot.passphrase' in said and '0600' in said


def test_refused_before_anything_is_done(project, small, tmp_path):
    made = Signed(tmp_path / 'refused', small)
    made.genkey()
    key = made.directory / 'mkosi.secure-boot.key'
    key.chmod(0o644)
    said = made.run('--secure-boot', status=1, wrapper=made.wrapper).stderr
    assert 'chmod 600 mkosi.secure-boot.key' in said
    key.chmod(0o600)

    shutil.copyfile(project.directory / 'foreign.crt', made.directory / 'mkosi.secure-boot.crt')
    said = made.run('--secure-boot', status=1, wrapper=made.wrapper).stderr
    assert "The key is not that of the certificate 'CN=Secure Boot key made by mkosi'" in said

    said = made.run('--secure-boot', '--secure-boot-key=pkcs11:object=key', status=1, wrapper=made.wrapper).stderr
    assert 'pkcs11-provider' in said
    said = made.run('--secure-boot', '--secure-boot-key=pkcs11:object=key?pin-value=1', status=1).stderr
    assert 'must not hold a PIN' in said
    assert made.workspaces == [] and not (made.directory / 'image.raw').exists()


def test_key_by_uri(project, foreign_tool, tmp_path):
    """The provider that OpenSSL always has finds keys in files."""
    key = project.directory / 'mkosi.secure-boot.key'
    image = project.build('uri.raw', '--secure-boot', f'--secure-boot-key=file:{key}')
    for path in programs(esp(image, tmp_path)):
        run(foreign_tool('sbverify'), '--cert', project.directory / 'mkosi.secure-boot.crt', path)
    image.unlink()


@pytest.mark.parametrize('kind', ['rsa2048', 'p256'])
def test_key_on_a_token(small, foreign_tool, tmp_path, kind):
    """There is no file with the key: the token makes the signatures, for whoever knows its PIN."""
    foreign_tool('softhsm2-util')
    made = Signed(tmp_path / 'token', small, f'[Output]\nSecureBoot=yes\nSecureBootKeyType={kind}\n').genkey()
    key = made.directory / 'mkosi.secure-boot.key'
    token = pkcs11.Token(tmp_path / 'softhsm', 'kitchen', '1234')
    uri = token.take(key, 'teapot')
    key.unlink()

    said = made.run(f'--secure-boot-key={uri}', status=1, wrapper=made.wrapper, environment=token.environment).stderr
    assert 'mkosi.secure-boot.passphrase' in said and '0600' in said
    pin = made.write('mkosi.secure-boot.passphrase', '4321\n', mode=0o600)
    said = made.run(f'--secure-boot-key={uri}', status=1, wrapper=made.wrapper, environment=token.environment).stderr
    assert 'mkosi.secure-boot.passphrase is not that of the key pkcs11:' in said
    assert made.workspaces == []
    pin.write_text('1234\n', encoding='utf-8')
    said = made.run(
        f'--secure-boot-key={uri.replace("teapot", "kettle")}', status=1, wrapper=made.wrapper,
        environment=token.environment,
    ).stderr  # fmt: skip
    assert 'kettle' in said
    image = made.build('image.raw', f'--secure-boot-key={uri}', environment=token.environment)
    found = programs(esp(image, tmp_path))
    assert len(found) == 3
    for path in found:
        run(foreign_tool('sbverify'), '--cert', made.directory / 'mkosi.secure-boot.crt', path)
    projects.remove_tree(made.directory)


def test_genkey(mkosi, project_directory, foreign_tool):
    """Also where the settings ask for the key that is not there yet; what is there is never replaced."""
    made = projects.Project(project_directory, mkosi, '[Output]\nBootable=yes\nSecureBoot=yes\n')
    made.run('genkey', '--secure-boot-common-name=teapot', '--secure-boot-valid-days=3')
    key, certificate = (made.directory / f'mkosi.secure-boot.{suffix}' for suffix in ('key', 'crt'))
    assert key.stat().st_mode & 0o777 == 0o600
    said = run(
        'openssl', 'x509', '-in', certificate, '-noout', '-subject', '-ext', 'extendedKeyUsage', '-checkend', 2 * 86400
    )
    assert 'CN = teapot' in said and 'Code Signing' in said and 'will not expire' in said
    assert refuses('openssl', 'x509', '-in', certificate, '-noout', '-checkend', 4 * 86400)
    public = run('openssl', 'pkey', '-in', key, '-pubout')
    assert run('openssl', 'x509', '-in', certificate, '-noout', '-pubkey') == public

    before = key.read_bytes()
    assert 'mkosi.secure-boot.key exists' in made.run('genkey', status=1).stderr
    key.unlink()
    assert 'mkosi.secure-boot.crt exists' in made.run('genkey', status=1).stderr
    assert not key.exists() and before
    assert sorted(path.name for path in made.directory.iterdir()) == ['mkosi.default', 'mkosi.secure-boot.crt']


@pytest.mark.parametrize('kind', ['rsa2048', 'rsa3072', 'rsa4096', 'p256'])
def test_others_sign_with_the_new_key(mkosi, project_directory, foreign_tool, kind):
    """sbsign takes it, and sbverify believes what was signed with it, and no other."""
    made = projects.Project(project_directory, mkosi, f'[Output]\nSecureBootKeyType={kind}\n')
    made.run('genkey')
    made.run('genkey', '--secure-boot-key=other.key', '--secure-boot-certificate=other.crt')
    key, certificate = (made.directory / f'mkosi.secure-boot.{suffix}' for suffix in ('key', 'crt'))
    signed = made.directory / 'signed.efi'
    loader = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi'
    run(foreign_tool('sbsign'), '--key', key, '--cert', certificate, '--output', signed, loader)
    assert 'Signature verification OK' in run(foreign_tool('sbverify'), '--cert', certificate, signed)
    assert refuses(foreign_tool('sbverify'), '--cert', made.directory / 'other.crt', signed)


@pytest.mark.parametrize('call', ['write', 'fchmod', 'fsync', 'linkat'])
@pytest.mark.parametrize('which', [1, 2])
def test_genkey_that_is_killed(mkosi, project_directory, foreign_tool, call, which):
    """Nothing half is left behind: no part of a file, no file with another name, no key without its certificate.
    The signal comes before the call is carried out."""
    made = projects.Project(project_directory, mkosi, '[Output]\nSecureBootKeyType=p256\n')
    key, certificate = (made.directory / f'mkosi.secure-boot.{suffix}' for suffix in ('key', 'crt'))
    inject = f'inject={call}:signal=SIGKILL:when={which}'
    strace = [foreign_tool('strace'), '--quiet=all', '-o', '/dev/null', '-e', f'trace={call}', '-e', inject]
    made.run('genkey', status=-signal.SIGKILL, wrapper=strace)
    left = {path.name for path in made.directory.iterdir()} - {'mkosi.default'}
    if (call, which) != ('linkat', 2):
        assert left == set()
        return
    assert left == {certificate.name}
    run('openssl', 'x509', '-in', certificate, '-noout')
    assert f'{certificate.name} exists without its key {key.name}' in made.run('genkey', status=1).stderr


def test_genkey_refuses_mistakes_in_settings(mkosi, project_directory):
    made = projects.Project(project_directory, mkosi, '[Output]\nSecureBootKeyType=rsa1024\n')
    assert 'rsa1024' in made.run('genkey', status=1).stderr
    assert [path.name for path in made.directory.iterdir()] == ['mkosi.default']
