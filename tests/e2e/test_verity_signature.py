# SPDX-License-Identifier: LGPL-2.1-or-later
"""The partition with the signature of the root hash, as openssl, sfdisk and systemd-dissect read it."""

import base64
import hashlib
import json
import subprocess

import project as projects
import pytest
from small import Small, cut, partitions, run

EPOCH = '1700000000'
ROOT_VERITY_SIGNATURE = '41092B05-9FC8-4523-994F-2DEF0408B176'
PASSPHRASE = 'tea-and-biscuits'


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('verity-signature')
    yield Small(directory, mkosi, small_distribution, {'mkosi.extra/etc/marker': 'extra\n'})
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def signed(small):
    """A project with a key, and the image that it made."""
    project = small.project('signed', '[Output]\nVerity=yes\nManifest=yes\nFormat=raw_squashfs\n')
    project.run('genkey', 'verity')
    small.build(project, '--checksum', environment={'SOURCE_DATE_EPOCH': EPOCH})
    return project


def content(image, directory):
    """What the last partition holds: a JSON object and zeros."""
    data = cut(image, partitions(image)[-1], directory / 'signature').read_bytes()
    text, _, padding = data.partition(b'\0')
    assert not padding.strip(b'\0')
    return json.loads(text)


def verifies(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return result.returncode == 0


def test_partition(signed):
    image = signed.directory / 'image.raw'
    last = partitions(image)[-1]
    assert (last['type'], last['name'], last['attrs']) == (
        ROOT_VERITY_SIGNATURE, 'Verity Signature Partition', 'GUID:60',
    )  # fmt: skip
    assert 'No errors detected' in run('sfdisk', '--verify', image)
    manifest = json.loads((signed.directory / 'image.manifest').read_text())
    [row] = [row for row in manifest['disk']['partitions'] if row['type'] == 'root-verity-sig']
    assert row['uuid'].upper() == last['uuid'] and row['size'] == last['size'] * 512
    assert manifest['verity_signature']['certificate'] == 'CN=dm-verity key made by mkosi'
    assert 'root-verity-sig: as large as its content' in signed.run('plan').stdout


@pytest.mark.parametrize('program', ['smime', 'cms'])
def test_openssl_verifies_it(signed, tmp_path, program):
    found = content(signed.directory / 'image.raw', tmp_path)
    certificate = signed.directory / 'mkosi.verity.crt'
    text = (signed.directory / 'image.roothash').read_text().strip()
    assert set(found) == {'rootHash', 'signature', 'certificateFingerprint'}
    assert found['rootHash'] == text
    der = subprocess.run(
        ['openssl', 'x509', '-in', certificate, '-outform', 'DER'], capture_output=True, check=True
    ).stdout
    fingerprint = hashlib.sha256(der).hexdigest()
    assert found['certificateFingerprint'] == fingerprint
    manifest = json.loads((signed.directory / 'image.manifest').read_text())
    assert manifest['verity_signature']['certificate_sha256'] == fingerprint

    signature, right, wrong = (tmp_path / name for name in ('signature.p7s', 'right', 'wrong'))
    signature.write_bytes(base64.b64decode(found['signature'], validate=True))
    right.write_text(text)
    wrong.write_text(text[:-1] + ('0' if text[-1] != '0' else '1'))
    command = [
        'openssl', program, '-verify', '-binary', '-inform', 'DER', '-in', signature, '-nointern', '-noverify',
        '-certfile', certificate, '-content',
    ]  # fmt: skip
    assert verifies(*command, right)
    assert not verifies(*command, wrong)


def test_systemd_finds_the_signature(signed, foreign_tool):
    image = signed.directory / 'image.raw'
    dissect = foreign_tool('systemd-dissect')
    found = json.loads(run(dissect, '--json=short', image))
    by_designator = {mount['designator']: mount for mount in found['mounts']}
    assert by_designator['root']['verity'] == 'signed'
    # The root hash is told by the signature partition, and the partitions are those that it names.
    root_hash = (signed.directory / 'image.roothash').read_text().strip()
    assert by_designator['root']['partition_uuid'].replace('-', '') == root_hash[:32]
    policy = '--image-policy=root=signed+absent:=unused+absent'
    if '--validate' in run(dissect, '--help'):
        run(dissect, '--validate', policy, image)


def test_same_bytes_again(small, signed):
    """The signature of an RSA key is the same for the same root hash."""
    again = small.project('again', '[Output]\nVerity=yes\nManifest=yes\nFormat=raw_squashfs\n')
    for name in ('mkosi.verity.key', 'mkosi.verity.crt'):
        again.write(name, (signed.directory / name).read_text(), mode=0o600)
    small.build(again, '--checksum', environment={'SOURCE_DATE_EPOCH': EPOCH})
    run('cmp', signed.directory / 'image.raw', again.directory / 'image.raw')


def test_key_is_nowhere(small):
    """Neither key nor passphrase is in what was made or said; the key may be encrypted."""
    project = small.project('secret', '[Output]\nVerity=yes\nManifest=yes\n')
    project.write('mkosi.verity.passphrase', PASSPHRASE + '\n', mode=0o600)
    project.run('genkey', 'verity')
    key = project.directory / 'mkosi.verity.key'
    assert 'ENCRYPTED' in key.read_text() and key.stat().st_mode & 0o777 == 0o600
    said = small.build(project, '--debug', '--checksum')
    plain = run('openssl', 'rsa', '-in', key, '-passin', f'pass:{PASSPHRASE}', '-traditional')
    numbers = run('openssl', 'rsa', '-in', key, '-passin', f'pass:{PASSPHRASE}', '-noout', '-text')
    [prime] = numbers.partition('prime1:')[2].partition('prime2:')[:1]
    secrets = [
        PASSPHRASE.encode(), plain.splitlines()[3].encode(), key.read_text().splitlines()[3].encode(),
        bytes.fromhex(''.join(prime.split()).replace(':', ''))[1:],
    ]  # fmt: skip
    for secret in secrets:
        assert secret not in (said.stdout + said.stderr).encode()
        for path in project.directory.rglob('*'):
            if path.is_file() and path.name not in ('mkosi.verity.key', 'mkosi.verity.passphrase'):
                assert secret not in path.read_bytes(), path


def test_half_a_pair_is_refused(small):
    project = small.project('half', '[Output]\nVerity=yes\n')
    project.run('genkey', 'verity')
    (project.directory / 'mkosi.verity.key').unlink()
    assert 'needs its key' in project.run(status=1).stderr
    assert 'mkosi.verity.crt exists' in project.run('genkey', 'verity', status=1).stderr
