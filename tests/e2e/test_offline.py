# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures that are made on another machine: what a build asks for is signed by openssl and gpg, which have the
keys, and put into the image; sbverify, osslsigncode, openssl and the directly signed image are the judges."""

import base64
import hashlib
import json
import re
import shutil
import subprocess

import project as projects
import pytest
from small import SECTOR_SIZE, Small, cut, esp, partitions, programs, run

EPOCH = '1700000000'
SEED = '01234567-89ab-cdef-0123-456789abcdef'
SETTINGS = f"""\
[Output]
Format=gpt_ext4
Bootable=yes
SecureBoot=yes
SecureBootAutoEnroll=force
Verity=yes
Manifest=yes
Seed={SEED}
KernelCommandLine=console=ttyS0 panic=-1

[Partitions]
ESPSize=64M

[Validation]
CheckSum=yes
"""
PROGRAMS = ('EFI/BOOT/BOOTX64.EFI', 'EFI/systemd/systemd-bootx64.efi')
CERTIFICATES = ('mkosi.secure-boot.crt', 'mkosi.verity.crt')
KEYS = {'secure-boot': 'mkosi.secure-boot.key', 'verity': 'mkosi.verity.key'}


class Offline:
    """A project with certificates, images that wait for signatures, and a directory with the keys elsewhere."""

    def __init__(self, directory, small, keys, settings=''):
        self.project = projects.Project(directory, small.mkosi, small.distribution.settings + SETTINGS + settings)
        self.wrapper, self.keys, self.directory = small.wrapper, keys, self.project.directory
        for name in CERTIFICATES:
            shutil.copyfile(keys / name, self.directory / name)

    def run(self, *arguments, **options):
        return self.project.run(*arguments, wrapper=self.wrapper, environment={'SOURCE_DATE_EPOCH': EPOCH}, **options)

    def copy(self, directory):
        """The same, elsewhere."""
        shutil.copytree(self.directory, directory)
        copy = object.__new__(Offline)
        copy.project = projects.Project(directory, self.project.mkosi, (directory / 'mkosi.default').read_text())
        copy.wrapper, copy.keys, copy.directory, copy.built = self.wrapper, self.keys, directory, self
        return copy

    def attach(self, *arguments, **options):
        return self.project.run('attach', 'image.raw', *arguments, **options)

    def request(self):
        return json.loads((self.directory / 'image.sign-request').read_text())


def sign(item, keys, directory):
    """What the other machine does with an item."""
    content, signature = directory / 'content', directory / f'{item["id"]}.sig'
    content.write_bytes(base64.b64decode(item['bytes'], validate=True))
    run('openssl', 'dgst', '-sha256', '-sign', keys / KEYS[item['kind']], '-out', signature, content)
    content.unlink()
    return signature


@pytest.fixture(scope='module')
def small(mkosi, small_bootable_distribution, image_directory):
    return Small(image_directory / 'small-offline', mkosi, small_bootable_distribution, {})


@pytest.fixture(scope='module')
def keys(mkosi, image_directory):
    """A directory that no build sees."""
    made = projects.Project(image_directory / 'keys', mkosi, '')
    made.run('genkey', 'secure-boot')
    made.run('genkey', 'verity')
    return made.directory


@pytest.fixture(scope='module')
def direct(small, keys, image_directory):
    """The image that is signed at once."""
    made = Offline(image_directory / 'direct', small, keys)
    for name in KEYS.values():
        shutil.copyfile(keys / name, made.directory / name)
        (made.directory / name).chmod(0o600)
    made.run('--bmap')
    return made.directory


@pytest.fixture(scope='module')
def built(small, keys, image_directory):
    """An image that waits for its signatures, which no test changes."""
    made = Offline(image_directory / 'offline', small, keys)
    made.run('--sign-offline', '--bmap')
    return made


@pytest.fixture(scope='module')
def signatures(built, keys, image_directory):
    """The signatures of all items, as openssl makes them."""
    directory = image_directory / 'signatures'
    directory.mkdir()
    for item in built.request()['items']:
        sign(item, keys, directory)
    return directory


@pytest.fixture
def offline(built, tmp_path):
    """A copy of it, to be changed."""
    copy = built.copy(tmp_path / 'project')
    yield copy
    projects.remove_tree(copy.directory)


def snapshot(directory):
    """All files with their content, in a few words."""
    return {
        path.relative_to(directory): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in directory.rglob('*') if path.is_file()
    }  # fmt: skip


def masked(image, request):
    """The image with zeros in all ranges that the request names."""
    content = bytearray(image.read_bytes())
    for item in request['items']:
        for place in item['ranges']:
            content[place['offset'] : place['offset'] + place['size']] = bytes(place['size'])
    return content


def check_sums(directory):
    run('sh', '-c', f'cd "{directory}" && sha256sum --check --strict SHA256SUMS')


def test_what_is_asked_for(built):
    request = built.request()
    image = built.directory / 'image.raw'
    content = image.read_bytes()
    assert request['sign_request_version'] == 1 and request['image'] == 'image.raw'
    assert (request['size'], request['sha256']) == (len(content), hashlib.sha256(content).hexdigest())
    assert request['time'] == int(EPOCH)
    by_id = {item['id']: item for item in request['items']}
    assert len(by_id) == len(request['items']) == 7
    paths = {item['path'] for item in request['items'] if item['kind'] == 'secure-boot'}
    assert set(PROGRAMS) < paths and len(paths) == 6
    assert {f'loader/keys/auto/{name}.auth' for name in ('PK', 'KEK', 'db')} < paths
    [verity] = (item for item in request['items'] if item['kind'] == 'verity')
    assert base64.b64decode(verity['bytes']).decode() == (built.directory / 'image.roothash').read_text().strip()
    for item in request['items']:
        assert hashlib.sha256(base64.b64decode(item['bytes'])).hexdigest() == item['digest']
        der = subprocess.run(
            ['openssl', 'x509', '-in', built.directory / f'mkosi.{item["kind"]}.crt', '-outform', 'DER'],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert item['certificate_sha256'] == hashlib.sha256(der).hexdigest()
        for place in item['ranges']:
            assert not any(content[place['offset'] : place['offset'] + place['size']])
    # The request is not part of what is summed up, and the image is not final.
    assert 'sign-request' not in (built.directory / 'SHA256SUMS').read_text()
    check_sums(built.directory)
    manifest = json.loads((built.directory / 'image.manifest').read_text())
    made = {artefact['kind']: artefact for artefact in manifest['artefacts']}
    assert 'sha256' not in made['image'] and 'sha256' not in made['bmap'] and 'sha256' in made['root-hash']
    assert 'sign-request' in built.project.run('plan', '--sign-offline').stdout

    said = built.project.run('verify', 'image.raw', status=1).stdout
    assert said.count('Its signature: not signed') == 3 and 'its partition is empty, and waits for it' in said
    assert said.count('failed') == 4


def test_attached_image_is_the_directly_signed_one(offline, direct, signatures):
    before = masked(offline.directory / 'image.raw', offline.request())
    assert before == (offline.directory / 'image.raw').read_bytes()
    said = offline.attach(signatures)
    assert 'image.raw has its signatures' in said.stderr
    assert masked(offline.directory / 'image.raw', offline.request()) == before
    run('cmp', offline.directory / 'image.raw', direct / 'image.raw')
    run('cmp', offline.directory / 'image.raw.bmap', direct / 'image.raw.bmap')
    check_sums(offline.directory)
    sums = {line.split(' *')[1]: line.split(' *')[0] for line in (offline.directory / 'SHA256SUMS').open()}
    expected = {line.split(' *')[1]: line.split(' *')[0] for line in (direct / 'SHA256SUMS').open()}
    for name in ('image.raw\n', 'image.raw.bmap\n', 'image.roothash\n'):
        assert sums[name] == expected[name]

    # Again, with all of them, with some, or with none.
    after = snapshot(offline.directory)
    assert 'nothing was changed' in offline.attach(signatures).stderr
    assert 'nothing was changed' in offline.attach(signatures / 'verity.sig').stderr
    assert 'nothing was changed' in offline.attach().stderr
    assert snapshot(offline.directory) == after


def test_foreign_judges(offline, signatures, foreign_tool, tmp_path):
    offline.attach(signatures)
    image = offline.directory / 'image.raw'
    found = programs(esp(image, tmp_path))
    assert len(found) == 3
    certificate = offline.directory / 'mkosi.secure-boot.crt'
    for path in found:
        assert 'Signature verification OK' in run(foreign_tool('sbverify'), '--cert', certificate, path)
        said = run(foreign_tool('osslsigncode'), 'verify', '-CAfile', certificate, '-in', path)
        assert 'Signature verification: ok' in said and 'MISMATCH' not in said and 'invalid PE checksum' not in said

    text, _, padding = cut(image, partitions(image)[-1], tmp_path / 'partition').read_bytes().partition(b'\0')
    assert not padding.strip(b'\0')
    (tmp_path / 'signature.p7s').write_bytes(base64.b64decode(json.loads(text)['signature'], validate=True))
    (tmp_path / 'hash').write_text((offline.directory / 'image.roothash').read_text().strip())
    for program in ('smime', 'cms'):
        run(
            'openssl', program, '-verify', '-binary', '-inform', 'DER', '-in', tmp_path / 'signature.p7s', '-nointern',
            '-noverify', '-certfile', offline.directory / 'mkosi.verity.crt', '-content', tmp_path / 'hash',
        )  # fmt: skip
    said = offline.project.run('verify', 'image.raw').stdout
    assert 'failed' not in said and said.count("Signed by 'CN=Secure Boot key made by mkosi'") == 3


def test_signatures_in_json(offline, direct, signatures, tmp_path):
    """Some in an object, one in a file, made by another program of openssl from the digest alone."""
    ids = [item['id'] for item in offline.request()['items']]
    values = {name: base64.b64encode((signatures / f'{name}.sig').read_bytes()).decode() for name in ids[1:]}
    (tmp_path / 'signatures.json').write_text(json.dumps(values))
    digest = bytes.fromhex(offline.request()['items'][0]['digest'])
    (tmp_path / 'digest').write_bytes(digest)
    run(
        'openssl', 'pkeyutl', '-sign', '-inkey', offline.keys / KEYS['secure-boot'], '-in', tmp_path / 'digest',
        '-pkeyopt', 'digest:sha256', '-out', tmp_path / f'{ids[0]}.sig',
    )  # fmt: skip
    offline.attach(tmp_path / 'signatures.json', tmp_path / f'{ids[0]}.sig')
    run('cmp', offline.directory / 'image.raw', direct / 'image.raw')


def test_as_the_readme_says(offline, direct, foreign_tool, tmp_path):
    """The commands of README.md, run where the keys are."""
    foreign_tool('jq')
    text = (projects.ROOT / 'README.md').read_text()
    [script] = re.findall(r'^    jq -r .*?^    done$', text, re.MULTILINE | re.DOTALL)
    shutil.copytree(offline.keys, tmp_path / 'keys')
    (tmp_path / 'keys/signed').mkdir()
    shutil.copyfile(offline.directory / 'image.sign-request', tmp_path / 'keys/image.sign-request')
    run('sh', '-e', '-c', f'cd "{tmp_path}/keys"\n{script}')
    offline.attach(tmp_path / 'keys/signed')
    run('cmp', offline.directory / 'image.raw', direct / 'image.raw')


def test_elliptic_curves(small, keys, signatures, foreign_tool, tmp_path):
    """Signatures have no fixed size; zeros follow the short ones."""
    other = projects.Project(tmp_path / 'keys', small.mkosi, '')
    other.run('genkey', 'secure-boot', '--secure-boot-key-type=p256')
    other.run('genkey', 'verity', '--secure-boot-key-type=p384')
    made = Offline(tmp_path / 'curves', small, other.directory)
    said = made.run('--sign-offline', status=1).stderr
    assert 'SecureBootAutoEnroll=force needs an RSA key with SignOffline=yes' in said
    made.run('--sign-offline', '--secure-boot-auto-enroll=off')
    (tmp_path / 'signed').mkdir()
    for item in made.request()['items']:
        sign(item, other.directory, tmp_path / 'signed')
    before = masked(made.directory / 'image.raw', made.request())
    made.attach(tmp_path / 'signed')
    assert masked(made.directory / 'image.raw', made.request()) == before
    for path in programs(esp(made.directory / 'image.raw', tmp_path)):
        run(foreign_tool('sbverify'), '--cert', made.directory / 'mkosi.secure-boot.crt', path)
    assert 'failed' not in made.project.run('verify', 'image.raw').stdout
    projects.remove_tree(made.directory)


class Refusals:
    """Attaching that must fail: it says why, and changes nothing."""

    def __init__(self, offline):
        self.offline, self.before = offline, snapshot(offline.directory)

    def check(self, *arguments, **options):
        said = self.offline.attach(*arguments, status=1, **options).stderr
        assert snapshot(self.offline.directory) == self.before
        assert not self.offline.project.workspaces
        return said


def copied(signatures, directory):
    shutil.copytree(signatures, directory)
    return directory


def test_signatures_that_are_refused(offline, signatures, tmp_path):
    refusals = Refusals(offline)
    ids = [item['id'] for item in offline.request()['items']]

    said = refusals.check()
    assert all(name in said for name in ids)
    some = copied(signatures, tmp_path / 'some')
    (some / f'{ids[1]}.sig').unlink()
    said = refusals.check(some)
    assert f'missing, so nothing was changed: {ids[1]} (' in said

    # By the other key, of other bytes, and cut off.
    for name, content in (
        ('verity', (signatures / f'{ids[0]}.sig').read_bytes()),
        (ids[0], (signatures / f'{ids[1]}.sig').read_bytes()),
        (ids[1], (signatures / f'{ids[1]}.sig').read_bytes()[:-1]),
        ('verity', b'x'),
    ):
        wrong = copied(signatures, tmp_path / 'wrong')
        (wrong / f'{name}.sig').write_bytes(content)
        said = refusals.check(wrong)
        assert f'wrong/{name}.sig' in said and 'did not make this signature of these bytes' in said
        shutil.rmtree(wrong)

    # No such ID, the same one twice, none that can be one, nothing at all.
    (some / 'verify.sig').write_bytes(b'x')
    assert '"verify", which image.sign-request does not ask for; it asks for: secure-boot-1' in refusals.check(some)
    assert 'two signatures of "verity"' in refusals.check(signatures, signatures / 'verity.sig')
    for text, expected in (
        ('{\n"verity":\n"!"}', 'signatures.json:3: The value of "verity" is no text in base64'),
        ('{"../verity": "YQ=="}', 'signatures.json:1: "../verity" can be no ID'),
        ('{"verity": ""}', 'signatures.json:1: The signature of "verity" has 0 bytes'),
        ('{"verity": 1}', 'signatures.json:1: The value of "verity" is no text'),
        ('[]', 'signatures.json:1: There is no JSON object of IDs and signatures'),
    ):
        (tmp_path / 'signatures.json').write_text(text)
        assert expected in refusals.check(tmp_path / 'signatures.json')
    (tmp_path / 'empty').mkdir()
    assert 'no file ID.sig in the directory' in refusals.check(tmp_path / 'empty')
    assert 'No such file' in refusals.check(tmp_path / 'nowhere')


def test_another_certificate(offline, signatures):
    refusals = Refusals(offline)
    said = refusals.check(signatures, '--secure-boot-certificate=mkosi.verity.crt')
    assert "of 'CN=dm-verity key made by mkosi', is not the one that the image was built with" in said
    said = refusals.check(signatures, '--verity-certificate=nowhere.crt')
    assert 'nowhere.crt' in said


def test_images_that_are_refused(offline, signatures, small, keys, tmp_path):
    """Another one, one that was changed outside of what is signed or inside, a compressed one, a link."""
    image, request = offline.directory / 'image.raw', offline.request()
    kept = image.read_bytes()

    def said():
        return Refusals(offline).check(signatures)

    def change(offset):
        with open(image, 'r+b') as file:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 1]))

    root = partitions(image)[1]['start'] * SECTOR_SIZE
    change(root + 5000)
    assert 'outside of the places for signatures it is not what was built' in said()
    change(root + 5000)
    checksum = request['items'][1]['ranges'][1]['offset']
    change(checksum - 0x40)
    assert 'is not what the request is about' in said() or 'PE image' in said()
    image.write_bytes(kept)
    change(request['items'][1]['ranges'][0]['offset'])
    assert 'is not what the request is about' in said()
    image.write_bytes(kept)
    change(request['items'][-1]['ranges'][0]['offset'])
    assert 'is not what the request is about' in said()

    image.write_bytes(kept[:-SECTOR_SIZE])
    assert 'they are not of one build' in said()
    image.unlink()
    assert 'Cannot open image.raw' in said()
    (offline.directory / 'other').write_bytes(kept)
    image.symlink_to('other')
    assert 'is a symbolic link' in said()
    image.unlink()
    (offline.directory / 'other').unlink()
    raw = tmp_path / 'image.raw'
    raw.write_bytes(kept)
    run('zstd', '-q', '-1', raw)
    shutil.move(tmp_path / 'image.raw.zst', offline.directory)
    refused = offline.project.run('attach', 'image.raw.zst', signatures, status=1)
    assert 'compress or convert it afterwards' in refused.stderr


def test_requests_that_are_refused(offline, signatures):
    path, good = offline.directory / 'image.sign-request', offline.request()

    def said():
        return Refusals(offline).check(signatures)

    def changed(change):
        request = json.loads(json.dumps(good))
        change(request)
        path.write_text(json.dumps(request, indent=1))
        return said()

    assert "image.sign-request:" in changed(lambda request: request.pop('size'))
    assert 'is not that of its bytes' in changed(lambda request: request['items'][0].update(digest='0' * 64))
    # One that was made for others, or that would have something else overwritten.
    assert 'is not what the request is about' in changed(lambda request: request.update(time=1))
    smaller = changed(lambda request: request['items'][0]['ranges'][0].update(size=8))
    assert 'is not what the request is about' in smaller
    assert 'overlap' in changed(lambda request: request['items'][0]['ranges'][0].update(offset=0, size=10**7))
    assert 'outside of the image' in changed(lambda request: request['items'][0]['ranges'][0].update(offset=10**12))
    assert 'There is no EFI/nothing.efi' in changed(lambda request: request['items'][0].update(path='EFI/nothing.efi'))
    path.write_text(json.dumps(good)[:100])
    assert 'image.sign-request:1: ' in said()
    path.unlink()
    assert 'SignOffline=yes' in said()


def attach_under(offline, injection, *arguments):
    """Attaches while the kernel does something unkind; the exit status, negative for signals, and what was said."""
    strace = ['strace', '-f', '-qq', '-e', f'trace={injection.split(":")[0]}', '-e', f'inject={injection}']
    result = subprocess.run(
        [*strace, '-o', '/dev/null', offline.project.mkosi, 'attach', 'image.raw', *arguments], cwd=offline.directory,
        capture_output=True, text=True, check=False, env=projects.clean_environment(),
    )  # fmt: skip
    return result.returncode, result.stderr


def without_workspace(files):
    return {path: what for path, what in files.items() if not path.parts[0].startswith('.mkosi-')}


@pytest.mark.parametrize(
    'injection, said',
    [
        ('fsync:error=EIO:when=1', 'Cannot write'),
        ('fchmod:error=EPERM:when=1', 'Cannot write'),
        ('fsync:error=ENOSPC:when=3', 'Cannot write'),
        ('renameat2:error=EIO:when=1', 'Cannot replace image.raw'),
        ('renameat2:error=EIO:when=4', 'Cannot replace image.raw.bmap'),
        ('renameat2:error=EIO:when=6', 'Cannot replace ./SHA256SUMS'),
        ('fsync:signal=SIGTERM:when=1', ''),
    ],
)
def test_failures_change_nothing(offline, signatures, foreign_tool, injection, said):
    foreign_tool('strace')
    before = snapshot(offline.directory)
    status, text = attach_under(offline, injection, signatures)
    assert status != 0 and said in text
    assert snapshot(offline.directory) == before
    assert not offline.project.workspaces


def test_killed(offline, direct, signatures, foreign_tool):
    """Whenever it is killed, the image is the old or the new one; doing it again completes what is beside it."""
    foreign_tool('strace')
    image, new = offline.directory / 'image.raw', (direct / 'image.raw').read_bytes()
    old = snapshot(offline.directory)
    old_image = image.read_bytes()
    seen = set()
    for when in range(1, 20):
        status, _ = attach_under(offline, f'renameat2:signal=SIGKILL:when={when}', signatures)
        if status == 0:
            break
        assert image.read_bytes() in (old_image, new)
        seen.add(image.read_bytes() == new)
        if image.read_bytes() == old_image:
            assert without_workspace(snapshot(offline.directory)) == old
        offline.attach(signatures)
        assert not offline.project.workspaces
        assert image.read_bytes() == new
        run('cmp', offline.directory / 'image.raw.bmap', direct / 'image.raw.bmap')
        check_sums(offline.directory)
        for name in ('image.raw', 'image.raw.bmap', 'SHA256SUMS'):
            shutil.copyfile(offline.built.directory / name, offline.directory / name)
    assert status == 0 and seen == {False, True}


class Signatory:
    """Somebody with a key for GnuPG, and somebody with the public half of it."""

    def __init__(self, directory):
        self.home, self.other = directory / 'signatory', directory / 'other'
        for home in (self.home, self.other):
            home.mkdir(mode=0o700)
        self.gpg('--passphrase', '', '--quick-gen-key', 'images@example.org', 'ed25519', 'sign', 'never')
        self.gpg('--output', directory / 'public', '--export')
        self.public = directory / 'public'

    def gpg(self, *arguments, home=None):
        run('gpg', '--batch', '--quiet', '--yes', *arguments, GNUPGHOME=str(home or self.home))

    def sign(self, path, signature, *arguments):
        self.gpg(*arguments, '--output', signature, '--detach-sign', path)
        return signature

    def done(self):
        for home in (self.home, self.other):
            environment = projects.clean_environment(GNUPGHOME=str(home))
            subprocess.run(['gpgconf', '--kill', 'all'], check=False, env=environment)


@pytest.fixture(scope='module')
def signatory(image_directory):
    made = Signatory(image_directory)
    yield made
    made.done()


def test_check_sums(small, keys, signatures, signatory, direct, tmp_path):
    """They are signed when everything else is, since they name the image as it is then."""
    made = Offline(tmp_path / 'project', small, keys, '[Validation]\nSign=yes\n')
    made.run('--sign-offline', '--bmap')
    files = {path.name for path in made.directory.iterdir()}
    assert 'SHA256SUMS' in files and 'SHA256SUMS.gpg' not in files
    item = made.request()['items'][-1]
    assert item == {'id': 'SHA256SUMS', 'kind': 'checksums', 'path': 'SHA256SUMS', 'ranges': []}
    sums, signed = made.directory / 'SHA256SUMS', made.directory / 'SHA256SUMS.gpg'
    home = {'environment': {'GNUPGHOME': str(signatory.other)}}
    (tmp_path / 'early').mkdir()
    early = signatory.sign(sums, tmp_path / 'early/SHA256SUMS.sig')

    refusals = Refusals(made)
    assert 'Signatures are missing' in refusals.check(early, **home)
    said = made.attach(signatures, early, status=1, **home).stderr
    assert 'GnuPG does not have the key' in said and 'gpg --import' in said
    signatory.gpg('--import', signatory.public, home=signatory.other)
    said = refusals.check(signatures, early, **home)
    assert 'sign the one that is there when all other signatures are attached' in said

    said = made.attach(signatures, **home).stderr
    assert 'What remains to be signed is SHA256SUMS' in said and not signed.exists()
    run('cmp', made.directory / 'image.raw', direct / 'image.raw')
    check_sums(made.directory)
    refusals = Refusals(made)
    assert 'sign the one that is there when' in refusals.check(early, **home)
    (tmp_path / 'late').mkdir()
    armored = signatory.sign(sums, tmp_path / 'late/SHA256SUMS.sig', '--armor')
    assert 'gpg --dearmor' in refusals.check(armored, **home)
    armored.write_bytes(b'\xff')
    assert 'no signature that GnuPG can read' in refusals.check(armored, **home)
    late = signatory.sign(sums, tmp_path / 'late/SHA256SUMS.sig')
    said = made.attach(late, **home).stderr
    assert 'is signed by' in said and 'images@example.org' in said and 'remains' not in said
    assert signed.read_bytes() == late.read_bytes() and signed.stat().st_mode == sums.stat().st_mode
    run('gpg', '--verify', signed, sums, GNUPGHOME=str(signatory.home))
    after = snapshot(made.directory)
    assert 'nothing was changed' in made.attach(late, **home).stderr
    assert snapshot(made.directory) == after

    # What does not fit any more is not left there; and what is beside an image goes with it.
    shutil.copyfile(signed, tmp_path / 'kept')
    made.run('--sign-offline', '--bmap', '--force')
    assert not signed.exists()
    signed.write_bytes((tmp_path / 'kept').read_bytes())
    made.attach(signatures, **home)
    assert not signed.exists()
    made.run('clean', '--sign-offline')
    assert {path.name for path in made.directory.iterdir()} == {'mkosi.default', *CERTIFICATES}


def test_archive(small, keys, signatory, tmp_path):
    """An archive has no places for signatures, and may be compressed: only the check sums are signed."""
    made = projects.Project(tmp_path / 'archive', small.mkosi, small.distribution.settings)
    made.run('--format=tar', '--sign', '--sign-offline', '--output=a.tar.xz', wrapper=small.wrapper)
    assert json.loads((made.directory / 'a.sign-request').read_text())['items'][0]['kind'] == 'checksums'
    signature = signatory.sign(made.directory / 'SHA256SUMS', tmp_path / 'SHA256SUMS.sig')
    made.run('attach', 'a.tar.xz', signature, environment={'GNUPGHOME': str(signatory.home)})
    sums = made.directory / 'SHA256SUMS'
    run('gpg', '--verify', f'{sums}.gpg', sums, GNUPGHOME=str(signatory.home))


def test_no_key_is_read(small, keys, tmp_path):
    """Not even one that lies in the project; and one that is named is a contradiction."""
    made = Offline(tmp_path / 'project', small, keys)
    for name in KEYS.values():
        made.project.write(name, 'nonsense', mode=0o666)
        made.project.write(name.replace('.key', '.passphrase'), 'nonsense', mode=0o666)
    made.run('--sign-offline')
    for option in ('--secure-boot-key', '--verity-key'):
        said = made.run('--force', '--sign-offline', f'{option}=mkosi.verity.key', status=1).stderr
        assert 'contradicts SignOffline=yes (command line, --sign-offline)' in said
        assert f'command line, {option}: ' in said
    projects.remove_tree(made.directory)
