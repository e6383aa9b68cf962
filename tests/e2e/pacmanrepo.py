# SPDX-License-Identifier: LGPL-2.1-or-later
"""A signed repository of pacman's, small and local, in the layout of Arch Linux's: enough of a distribution for
pacman to run for real in a few seconds, out of the programs that this machine has installed. Its packages have the
names that mkosi insists on."""

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import aptrepo

REPOSITORIES = ('core', 'extra')
ARCHITECTURE = 'x86_64'

# Whose files make scripts run in the tree. Arch Linux has one bash for sh.
HOST_PACKAGES = ('bash', 'coreutils', 'dash', 'findutils', 'grep', 'sed')
DIRECTORIES = {
    'boot': 0o755, 'dev': 0o755, 'etc': 0o755, 'home': 0o755, 'proc': 0o555, 'root': 0o750, 'run': 0o755, 'sys': 0o555,
    'tmp': 0o1777, 'usr/bin': 0o755, 'usr/lib': 0o755, 'usr/share': 0o755, 'var/cache': 0o755, 'var/lib': 0o755,
    'var/log': 0o755, 'var/tmp': 0o1777,
}  # fmt: skip
# Where everything is on Arch Linux, and how it is found under its old names.
LINKS = {
    'bin': 'usr/bin', 'lib': 'usr/lib', 'lib64': 'usr/lib', 'sbin': 'usr/bin', 'usr/lib64': 'lib', 'usr/sbin': 'bin',
}  # fmt: skip
PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/bin/nologin\n'
GROUP = 'root:x:0:\nadm:x:4:\ntty:x:5:\nnobody:x:65534:\n'
OS_RELEASE = 'ID=arch\nNAME="Arch Linux fixture"\nPRETTY_NAME="Arch Linux fixture"\nBUILD_ID=rolling\n'
MIRROR_LIST = '## Worldwide\n#Server = https://geo.mirror.pkgbuild.com/$repo/os/$arch\n'


class Archive:
    """A tar archive whose members belong to root, and what .MTREE says of them."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode='w', format=tarfile.GNU_FORMAT)
        self.mtree = ['#mtree', '/set type=file uid=0 gid=0 mode=644']
        self.directories = {''}

    def _add(self, path, content=b'', **attributes):
        member = tarfile.TarInfo(path)
        member.mtime, member.size = aptrepo.MTIME, len(content)
        for name, value in attributes.items():
            setattr(member, name, value)
        self.tar.addfile(member, io.BytesIO(content))

    def meta(self, name, content):
        self._add(name, content if isinstance(content, bytes) else content.encode(), mode=0o644)

    def _note(self, path, words):
        self.mtree.append(f'./{path} time={aptrepo.MTIME}.0 {words}')

    def directory(self, path, mode=0o755):
        if path in self.directories:
            return
        self.directory(os.path.dirname(path))
        self.directories.add(path)
        self._add(path, type=tarfile.DIRTYPE, mode=mode)
        self._note(path, f'mode={mode:o} type=dir')

    def add(self, path, content, mode=0o644):
        content = content.encode() if isinstance(content, str) else content
        self.directory(os.path.dirname(path))
        self._add(path, content, mode=mode)
        digests = ' '.join(f'{name}digest={hashlib.new(name, content).hexdigest()}' for name in ('md5', 'sha256'))
        self._note(path, f'mode={mode:o} size={len(content)} {digests}')

    def link(self, path, target):
        self.directory(os.path.dirname(path))
        self._add(path, type=tarfile.SYMTYPE, linkname=target, mode=0o777)
        self._note(path, f'mode=777 type=link link={target}')

    def add_any(self, path, content):
        if isinstance(content, int):
            self.directory(path, content)
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


class Package:
    """A package. files: path in the tree → text, bytes, a Path of this machine, or the mode of a directory; install:
    the text of .INSTALL; depend and the like are lists, as in .PKGINFO. It is signed by the repository's key, by a key
    of its own, or with None by nobody."""

    def __init__(
        self, name, files=None, version='1-1', links=None, install=None, repository='core', key=True, **fields
    ):  # fmt: skip
        self.name, self.version, self.repository = name, version, repository
        self.files, self.links, self.install = dict(files or {}), dict(links or {}), install
        self.key, self.fields = key, fields

    @property
    def file_name(self):
        return f'{self.name}-{self.version}-{ARCHITECTURE}.pkg.tar.zst'

    def info(self, size):
        lines = [
            f'pkgname = {self.name}', f'pkgbase = {self.name}', f'pkgver = {self.version}',
            'pkgdesc = part of a fixture',
            f'builddate = {aptrepo.MTIME}', 'packager = Nobody <nobody@example.org>', f'size = {size}',
            f'arch = {ARCHITECTURE}',
        ]  # fmt: skip
        lines += [f'{key} = {value}' for key, values in self.fields.items() for value in values]
        return '\n'.join(lines) + '\n'

    def write(self, directory):
        """Makes the .pkg.tar.zst, compressed little as that takes the longest. Metadata comes first, and .MTREE has
        what is known behind the rest only."""
        data = Archive()
        for path in sorted({*self.files, *self.links}):
            if path in self.links:
                data.link(path, self.links[path])
            else:
                data.add_any(path, self.files[path])
        content = data.close()
        whole = Archive()
        whole.meta('.PKGINFO', self.info(len(content)))
        if self.install:
            whole.meta('.INSTALL', self.install)
        mtree = subprocess.run(
            ['gzip', '-9n'], input='\n'.join([*data.mtree, '']).encode(), capture_output=True, check=True
        )
        whole.meta('.MTREE', mtree.stdout)
        # What closes the first archive is cut off.
        end = whole.tar.offset
        whole.close()
        path = directory / self.file_name
        subprocess.run(
            ['zstd', '--quiet', '--force', '-1', '-o', path], input=whole.buffer.getvalue()[:end] + content, check=True
        )
        return path


def usr_merged(path):
    """Where Arch Linux has what Debian has in sbin, lib64 and a directory per architecture."""
    for old, new in (('usr/sbin/', 'usr/bin/'), ('usr/lib64/', 'usr/lib/')):
        if path.startswith(old):
            return new + path.removeprefix(old)
    return path


def working_packages():
    """What makes a tree in which scripts run: "base" and what it depends on."""
    paths = [path for package in HOST_PACKAGES for path in aptrepo.host_files(package)]
    files = {
        usr_merged(path[1:]): Path(path)
        for path in paths
        if not os.path.isdir(path) and not path.startswith('/usr/share/info/')
    }
    shared = {usr_merged(path[1:]): Path(os.path.realpath(path)) for path in aptrepo.libraries(paths)}
    filesystem = DIRECTORIES | {
        'etc/passwd': PASSWD, 'etc/group': GROUP, 'usr/lib/os-release': OS_RELEASE,
        'etc/pacman.d/mirrorlist': MIRROR_LIST,
    }  # fmt: skip
    links = LINKS | {'etc/os-release': '../usr/lib/os-release'}
    return [
        Package('filesystem', filesystem, links=links),
        Package('glibc', shared, depend=['filesystem']),
        Package('bash', files, depend=['glibc'], provides=['sh']),
        Package('base', depend=['filesystem', 'glibc', 'bash']),
    ]


class Repository:
    """DIRECTORY/arch with REPOSITORY/os/ARCHITECTURE for each repository; with databases that are signed as well
    unless that is not wanted, as Arch Linux's are not."""

    def __init__(self, directory, key, packages, signed_databases=True):
        self.path = Path(directory) / 'arch'
        for name in REPOSITORIES:
            self.directory(name).mkdir(parents=True)
            paths = [self._write(package, key) for package in packages if package.repository == name]
            self.add(name, paths)
            if signed_databases:
                database = self.directory(name) / f'{name}.db.tar.gz'
                self.sign(key, database)
                (self.directory(name) / f'{name}.db.sig').symlink_to(f'{database.name}.sig')

    def _write(self, package, key):
        path = package.write(self.directory(package.repository))
        if package.key:
            self.sign(key if package.key is True else package.key, path)
        return path

    @property
    def url(self):
        return f'file://{self.path}'

    def directory(self, repository):
        return self.path / repository / 'os' / ARCHITECTURE

    def package(self, name, repository='core'):
        [path] = self.directory(repository).glob(f'{name}-[0-9]*.zst')
        return path

    def add(self, name, paths):
        subprocess.run(
            ['repo-add', '--quiet', self.directory(name) / f'{name}.db.tar.gz', *paths],
            check=True,
            capture_output=True,
        )

    @staticmethod
    def sign(key, path):
        Path(f'{path}.sig').write_bytes(key.gpg('--detach-sign', data=path.read_bytes()))


def boot_packages(kernel, initrd, directory):
    """What makes the tree boot: a kernel, the boot loader of this machine, and a dracut that knows one initrd. Its
    hook would make another one in the middle of the installation."""
    version = kernel.name.removeprefix('vmlinuz-')
    dracut = Path(directory) / 'dracut'
    dracut.write_text(aptrepo.DRACUT, encoding='utf-8')
    dracut.chmod(0o755)
    loaders = {str(path)[1:]: path for path in Path('/usr/lib/systemd/boot/efi').iterdir()}
    modules = f'usr/lib/modules/{version}'
    hook = post_transaction_hook('usr/lib/modules/*/vmlinuz', '/bin/touch /usr/share/initrd-made-too-early')
    return [
        Package('linux', {f'{modules}/vmlinuz': kernel, f'{modules}/modules.dep': ''}, depend=['initramfs']),
        Package(
            'dracut', {'usr/bin/dracut': dracut, 'usr/lib/initrd': initrd, f'{HOOKS}/90-dracut-install.hook': hook},
            provides=['initramfs'], repository='extra',
        ),
        Package('systemd', loaders),
        Package('kmod'),
        Package('e2fsprogs'),
    ]  # fmt: skip


HOOKS = 'usr/share/libalpm/hooks'


def post_transaction_hook(target, command):
    """A file for HOOKS: runs the command when files of that name were installed."""
    return (
        f'[Trigger]\nOperation = Install\nType = Path\nTarget = {target}\n\n'
        f'[Action]\nDescription = Running a hook of the fixture...\nWhen = PostTransaction\nExec = {command}\n'
    )
