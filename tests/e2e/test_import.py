# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images with their checksums and signatures, taken in by systemd's own importer."""

import hashlib
import io
import lzma
import random
import tarfile

import pull
import pytest

DISK = random.Random(0).randbytes(100_000) + bytes(400_000)


def checksums(directory, *names):
    """SHA256SUMS as sha256sum --binary writes it."""
    path = directory / 'SHA256SUMS'
    lines = [f'{hashlib.sha256((directory / name).read_bytes()).hexdigest()} *{name}\n' for name in names]
    path.write_text(''.join(lines), encoding='utf-8')
    return path


def archive(text=b'ID=test\n'):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode='w') as tar:
        item = tarfile.TarInfo('etc/os-release')
        item.size, item.mode, item.uid = len(text), 0o640, 70000
        tar.addfile(item, io.BytesIO(text))
    return memory.getvalue()


@pytest.fixture(scope='module')
def key(root_user, tmp_path_factory):
    with pull.Key(tmp_path_factory.mktemp('key') / 'home') as key:
        yield key


@pytest.fixture
def images(tmp_path):
    """A directory as a build leaves it, but for the signature."""
    directory = tmp_path / 'images'
    directory.mkdir()
    (directory / 'image.raw.xz').write_bytes(lzma.compress(DISK))
    (directory / 'image.tar.xz').write_bytes(lzma.compress(archive()))
    checksums(directory, 'image.raw.xz', 'image.tar.xz')
    return directory


@pytest.mark.parametrize('signature', [True, False], ids=['signature', 'checksum'])
def test_disk_is_taken(images, key, signature):
    key.sign(images / 'SHA256SUMS')
    with pull.pull_raw(images, 'image.raw.xz', signature, key.ring) as result:
        assert result.accepted, result.output
        assert result.image.read_bytes() == DISK
        assert 'SHA256SUMS' in result.asked
        assert ('SHA256SUMS.gpg' in result.asked) == signature


@pytest.mark.parametrize('signature', [True, False], ids=['signature', 'checksum'])
def test_archive_is_taken(images, key, signature):
    key.sign(images / 'SHA256SUMS')
    with pull.pull_tar(images, 'image.tar.xz', signature, key.ring) as result:
        assert result.accepted, result.output
        path = result.image / 'etc/os-release'
        assert path.read_bytes() == b'ID=test\n'
        assert (path.stat().st_mode & 0o7777, path.stat().st_uid) == (0o640, 70000)


@pytest.mark.parametrize('download', [pull.pull_raw, pull.pull_tar])
def test_other_content_is_refused(images, key, download):
    name = 'image.raw.xz' if download is pull.pull_raw else 'image.tar.xz'
    key.sign(images / 'SHA256SUMS')
    # As whole an image as the other, so that it is the checksum that refuses it.
    other = DISK[::-1] if download is pull.pull_raw else archive(b'ID=evil\n')
    (images / name).write_bytes(lzma.compress(other))
    for signature in (True, False):
        with download(images, name, signature, key.ring) as result:
            assert not result.accepted, result.output
            assert not result.image.exists()
            assert 'DOWNLOAD INVALID' in result.output


def test_checksum_of_another_name_is_refused(images, key):
    checksums(images, 'image.tar.xz')
    key.sign(images / 'SHA256SUMS')
    with pull.pull_raw(images, 'image.raw.xz', True, key.ring) as result:
        assert not result.accepted, result.output
        assert not result.image.exists()


def test_signature_of_other_checksums_is_refused(images, key):
    path = images / 'SHA256SUMS'
    key.sign(path)
    path.write_text(path.read_text(encoding='utf-8') + '0' * 64 + ' *more\n', encoding='utf-8')
    with pull.pull_raw(images, 'image.raw.xz', True, key.ring) as result:
        assert not result.accepted, result.output
        assert 'BAD signature' in result.output
        assert not result.image.exists()


def test_signature_by_unknown_key_is_refused(images, key, tmp_path):
    with pull.Key(tmp_path / 'other') as other:
        other.sign(images / 'SHA256SUMS')
    with pull.pull_raw(images, 'image.raw.xz', True, key.ring) as result:
        assert not result.accepted, result.output
        assert 'No public key' in result.output
        assert not result.image.exists()


def test_missing_signature_is_refused(images, key):
    with pull.pull_raw(images, 'image.raw.xz', True, key.ring) as result:
        assert not result.accepted, result.output
        assert not result.image.exists()
