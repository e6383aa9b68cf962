# SPDX-License-Identifier: LGPL-2.1-or-later
"""A signed apt repository, small and local, in the layout of Debian's or Ubuntu's: enough of a distribution for debootstrap
and apt to run for real in a few seconds, out of the programs that this machine has installed. Its packages have the
names that debootstrap and mkosi insist on; most are empty."""

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

MTIME = 1500000000

# Whose files make the tree work.
HOST_PACKAGES = {
    'apt': ('apt',),
    'coreutils': (
        'coreutils', 'dash', 'debianutils', 'diffutils', 'findutils', 'grep', 'gpgv', 'gzip', 'libc-bin', 'mount',
        'sed', 'tar',
    ),
    'dpkg': ('dpkg',),
    'mawk': ('mawk',),
}  # fmt: skip
SKIPPED = re.compile(r'/usr/(share/(doc|man|locale|bug|lintian|bash-completion|perl5)|lib/locale|lib/systemd)(/|$)')
# Links of merged /usr, which base-files has.
LINKS = ('bin', 'sbin', 'lib', 'lib64')
EMPTY_PACKAGES = ('perl-base', 'base-passwd')
BASE_PACKAGES = ('systemd-sysv', 'dbus', 'libpam-systemd')

PASSWD = 'root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\nnobody:x:65534:65534::/:/bin/false\n'
GROUP = 'root:x:0:\nadm:x:4:\ntty:x:5:\nmail:x:8:\nnogroup:x:65534:\n'
DIRECTORIES = (
    'boot', 'dev', 'etc', 'home', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/bin', 'usr/lib', 'usr/lib64', 'usr/sbin', 'var',
    'var/log', 'var/tmp',
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """What one distribution's archive has otherwise than another's."""

    name: str  # ID= of os-release, and the last component of a mirror's path
    origin: str
    suite: str
    version: str
    components: tuple
    key_ring_package: str
    kernel_flavour: str

    @property
    def key_ring(self):
        return f'/usr/share/keyrings/{self.name}-archive-keyring.gpg'

    @property
    def os_release(self):
        return (
            f'ID={self.name}\nNAME="{self.origin}"\nPRETTY_NAME="{self.origin} {self.version}"\n'
            f'VERSION_ID="{self.version}"\nVERSION_CODENAME={self.suite}\n'
        )

    def settings(self, mirror):
        return f'[Distribution]\nDistribution={self.name}\nRelease={self.suite}\nMirror={mirror}\n\n'


def host_architecture():
    return subprocess.run(
        ['dpkg', '--print-architecture'], capture_output=True, text=True, check=True
    ).stdout.strip()


DEBIAN = Archive(
    'debian', 'Debian fixture', 'fixture', '1', ('main',), 'debian-archive-keyring', host_architecture()
)
# debootstrap has no script for this suite: it is later than the one of Debian 12.
UBUNTU = Archive(
    'ubuntu', 'Ubuntu', 'resolute', '26.04', ('main', 'restricted', 'universe', 'multiverse'), 'ubuntu-keyring',
    'generic',
)  # fmt: skip
SUITE = DEBIAN.suite


def canonical(path):
    """Where a file really lies on a host with merged /usr; the file itself may be a link."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def host_files(package):
    listed = subprocess.run(['dpkg', '-L', package], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        path = canonical(line)
        if path[1:] not in (*LINKS, '.') and os.path.lexists(path) and not SKIPPED.match(path):
            yield path


def libraries(paths):
    """The shared libraries of programs, and the loader."""
    programs = [path for path in paths if os.path.isfile(path) and open(path, 'rb').read(4) == b'\x7fELF']
    said = subprocess.run(['ldd', *programs], capture_output=True, text=True, check=False).stdout
    return sorted({canonical(path) for path in re.findall(r'(/\S+) \(0x', said)})


class Package:
    """A binary package. files: path in the tree → text, bytes, a Path of this machine, or None for a directory."""

    def __init__(
        self, name, files=None, version='1', priority='optional', links=None, scripts=None, component='main', **fields
    ):  # fmt: skip
        self.name, self.version, self.files, self.component = name, version, dict(files or {}), component
        self.links, self.scripts = dict(links or {}), dict(scripts or {})
        self.fields = {'Priority': priority, **fields}

    def control(self, architecture):
        lines = {
            'Package': self.name,
            'Version': self.version,
            'Architecture': architecture,
            'Maintainer': 'Nobody <nobody@example.org>',
            'Description': 'part of a fixture',
            **self.fields,
        }
        return ''.join(f'{key.replace("_", "-")}: {value}\n' for key, value in lines.items())

    def write(self, directory, architecture):
        """Makes the .deb: an ar archive of two tar archives, not compressed as that takes the longest."""
        control = Tar()
        control.add('control', self.control(architecture))
        for name, text in self.scripts.items():
            control.add(name, text, mode=0o755)
        data = Tar()
        for path in sorted({*self.files, *self.links}):
            if path in self.links:
                data.link(path, self.links[path])
            else:
                data.add_any(path, self.files[path])
        members = (('debian-binary', b'2.0\n'), ('control.tar', control.close()), ('data.tar', data.close()))
        path = directory / f'{self.name}_{self.version}_{architecture}.deb'
        with open(path, 'wb') as file:
            file.write(b'!<arch>\n')
            for name, content in members:
                file.write(f'{name:<16}{MTIME:<12}{0:<6}{0:<6}{"100644":<8}{len(content):<10}`\n'.encode())
                file.write(content + b'\n' * (len(content) % 2))
        return path


class Tar:
    """A tar archive whose members belong to root, with every parent before what lies in it."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode='w', format=tarfile.GNU_FORMAT)
        self.directories = set()
        self.directory('.')

    def _add(self, path, content=None, **attributes):
        member = tarfile.TarInfo(path if path == '.' else f'./{path}')
        member.mtime, member.size = MTIME, len(content or b'')
        for name, value in attributes.items():
            setattr(member, name, value)
        self.tar.addfile(member, io.BytesIO(content or b''))

    def directory(self, path, mode=0o755):
        if path in self.directories:
            return
        if path != '.':
            self.directory(os.path.dirname(path) or '.')
        self.directories.add(path)
        self._add(path, type=tarfile.DIRTYPE, mode=mode)

    def add(self, path, content, mode=0o644):
        self.directory(os.path.dirname(path) or '.')
        self._add(path, content.encode() if isinstance(content, str) else content, mode=mode)

    def link(self, path, target):
        self.directory(os.path.dirname(path) or '.')
        self._add(path, type=tarfile.SYMTYPE, linkname=target, mode=0o777)

    def add_any(self, path, content):
        if content is None:
            self.directory(path)
        elif not isinstance(content, Path):
            self.add(path, content)
        elif content.is_symlink():
            self.link(path, os.readlink(content))
        elif content.is_dir():
            self.directory(path, content.stat().st_mode & 0o7777)
        else:
            self.add(path, content.read_bytes(), content.stat().st_mode & 0o7777)

    def close(self):
        self.tar.close()
        return self.buffer.getvalue()


class Key:
    """A signing key of its own, in a short-lived home of gpg."""

    def __init__(self, algorithm='ed25519'):
        # The path of the agent's socket must be short.
        self.home = tempfile.mkdtemp(prefix='aptrepo-', dir='/tmp')
        self.gpg('--quick-generate-key', 'Fixture <fixture@example.org>', algorithm, 'sign', 'never')
        self.ring = self.gpg('--export')

    def gpg(self, *arguments, data=None):
        command = ['gpg', '--homedir', self.home, '--batch', '--quiet', '--passphrase', '', *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    def close(self):
        subprocess.run(['gpgconf', '--homedir', self.home, '--kill', 'all'], check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def working_packages(ring, archive=DEBIAN):
    """What makes a tree in which dpkg and apt run."""
    packages, programs = [], []
    for name, sources in HOST_PACKAGES.items():
        paths = [path for source in sources for path in host_files(source)]
        programs += paths
        files = {path.lstrip('/'): Path(path) for path in paths}
        packages.append(Package(name, files, priority='important' if name == 'apt' else 'required'))
    packages[0].fields['Depends'] = archive.key_ring_package

    # The library itself, under the name by which it is asked for.
    shared = {path.lstrip('/'): Path(os.path.realpath(path)) for path in libraries(programs)}
    packages.append(Package('libc6', shared, priority='required'))
    base_files = dict.fromkeys(DIRECTORIES) | {
        'etc/passwd': PASSWD, 'etc/group': GROUP, 'usr/lib/os-release': archive.os_release,
    }  # fmt: skip
    links = {name: f'usr/{name}' for name in LINKS}
    links |= {'etc/os-release': '../usr/lib/os-release', 'usr/bin/awk': 'mawk'}
    packages.append(Package('base-files', base_files, priority='required', links=links))
    packages += [Package(name, priority='required') for name in EMPTY_PACKAGES]
    packages += [Package(name) for name in BASE_PACKAGES]
    packages.append(Package(archive.key_ring_package, {archive.key_ring[1:]: ring}, priority='important'))
    return packages


# Writes to the path that comes last, as the real one does when it is called by mkosi.
DRACUT = """\
#!/bin/sh
for target; do :; done
exec cp /usr/lib/initrd "$target"
"""


def boot_packages(kernel, initrd, directory, archive=DEBIAN):
    """What makes the tree boot: a kernel, the boot loader of this machine, and a dracut that knows one initrd."""
    version = kernel.name.removeprefix('vmlinuz-')
    dracut = Path(directory) / 'dracut'
    dracut.write_text(DRACUT, encoding='utf-8')
    dracut.chmod(0o755)
    loaders = {str(path)[1:]: path for path in Path('/usr/lib/systemd/boot/efi').iterdir()}
    modules = f'usr/lib/modules/{version}'
    return [
        Package(f'linux-image-{archive.kernel_flavour}', {f'{modules}/vmlinuz': kernel, f'{modules}/modules.dep': ''}),
        Package('dracut', {'usr/bin/dracut': dracut, 'usr/lib/initrd': initrd}),
        Package('systemd-boot-efi', loaders),
        *(Package(name) for name in ('kmod', 'udev', 'systemd-boot', 'systemd-cryptsetup', 'e2fsprogs', 'btrfs-progs')),
    ]


class Repository:
    """DIRECTORY/debian, or whatever the archive's name is, with its suite. pockets: the suites beside it, "updates" →
    packages."""

    def __init__(self, directory, key, packages, archive=DEBIAN, pockets=None):
        self.archive = archive
        self.path = Path(directory) / archive.name
        self.architecture = host_architecture()
        self.suite = self.path / 'dists' / archive.suite
        (self.path / 'pool').mkdir(parents=True)
        self._write_suite(self.suite, key, packages)
        for name, more_packages in (pockets or {}).items():
            self._write_suite(self.path / 'dists' / f'{archive.suite}-{name}', key, more_packages)

    def _write_suite(self, suite, key, packages):
        for component in self.archive.components:
            index = suite / component / f'binary-{self.architecture}'
            index.mkdir(parents=True)
            text = ''.join(
                self._entry(package, package.write(self.path / 'pool', self.architecture))
                for package in packages if package.component == component
            )  # fmt: skip
            (index / 'Packages').write_text(text)
            (index / 'Packages.gz').write_bytes(gzip.compress(text.encode(), mtime=0))
        self.sign(key, suite)

    @property
    def url(self):
        return f'file://{self.path}'

    def deb(self, name):
        [path] = self.path.glob(f'pool/{name}_*.deb')
        return path

    def _entry(self, package, path):
        content = path.read_bytes()
        return (
            f'{package.control(self.architecture)}Filename: {path.relative_to(self.path)}\nSize: {len(content)}\n'
            f'SHA256: {hashlib.sha256(content).hexdigest()}\n\n'
        )

    def sign(self, key, suite=None):
        suite = suite or self.suite
        files = sorted(path for path in suite.rglob('Packages*') if path.is_file())
        sums = ''.join(
            f' {hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_size} {path.relative_to(suite)}\n'
            for path in files
        )
        release = (
            f'Origin: {self.archive.origin}\nLabel: {self.archive.origin}\nSuite: {suite.name}\n'
            f'Version: {self.archive.version}\nCodename: {self.archive.suite}\nDate: Fri, 14 Jul 2017 02:40:00 UTC\n'
            f'Architectures: {self.architecture}\nComponents: {" ".join(self.archive.components)}\nSHA256:\n{sums}'
        )
        (suite / 'Release').write_text(release)
        (suite / 'InRelease').write_bytes(key.gpg('--clearsign', data=release.encode()))
        (suite / 'Release.gpg').write_bytes(key.gpg('--armor', '--detach-sign', data=release.encode()))
