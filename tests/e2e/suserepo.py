# SPDX-License-Identifier: LGPL-2.1-or-later
"""A signed repository of RPM packages, small and local, in the layout of openSUSE's: enough of a distribution for zypper
to run for real in a few seconds, out of the programs that this machine has installed. Its packages have the names that
mkosi insists on; most are empty."""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import aptrepo

MIRROR_PATHS = {'oss': 'tumbleweed/repo/oss', 'update': 'update/tumbleweed'}

# Whose files make the tree work.
HOST_PACKAGES = ('coreutils', 'dash', 'grep', 'sed')
BASE_PACKAGES = ('systemd', 'dbus-1', 'util-linux', 'shadow')
PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/sbin/nologin\n'
GROUP = 'root:x:0:\nadm:x:4:\ntty:x:5:\nnobody:x:65534:\n'
OS_RELEASE = 'ID="opensuse-tumbleweed"\nNAME="openSUSE fixture"\nPRETTY_NAME="openSUSE fixture"\nVERSION_ID="20260420"\n'
DIRECTORIES = (
    'boot', 'etc', 'home', 'root', 'usr/bin', 'usr/lib', 'usr/lib64', 'usr/sbin', 'var', 'var/log', 'var/tmp',
)  # fmt: skip

# What makes rpmbuild quick, and independent of what the host thinks of packages.
MACROS = """\
%_topdir {home}/build
%_dbpath {home}/database
%__gpg /usr/bin/gpg
%_binary_payload w.ufdio
%debug_package %{{nil}}
%__os_install_post %{{nil}}
%_build_id_links none
%_unpackaged_files_terminate_build 0
%_source_filedigest_algorithm 8
%_binary_filedigest_algorithm 8
"""
HEAD = 'Name: fixture\nVersion: 1\nRelease: 1\nSummary: a fixture\nLicense: none\n\n%description\nA fixture.\n\n'


class Key(aptrepo.Key):
    """RSA, which every rpm knows, with its public half as rpm imports it."""

    def __init__(self, name='Fixture'):
        self.home = tempfile.mkdtemp(prefix='suserepo-', dir='/tmp')
        self.name = name
        self.gpg('--quick-generate-key', f'{name} <fixture@example.org>', 'rsa2048', 'sign', 'never')
        self.public = self.gpg('--armor', '--export')


class Package:
    """A binary package. files: path in the tree → text, bytes, a Path of this machine, or None for a directory. Scripts are
    sections of a spec file, tags the lines at its head: Requires='other'."""

    def __init__(self, name, files=None, version='1', links=None, scripts=None, docs=(), **tags):
        self.name, self.version, self.files, self.docs = name, version, dict(files or {}), docs
        self.links, self.scripts, self.tags = dict(links or {}), dict(scripts or {}), tags

    def stage(self, directory):
        for path, content in self.files.items():
            target = directory / path
            if content is None or (isinstance(content, Path) and content.is_dir()):
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copy2(content, target, follow_symlinks=False)
            else:
                target.write_bytes(content.encode() if isinstance(content, str) else content)
        for path, target in self.links.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).symlink_to(target)

    def _file(self, path, content):
        directory = content is None or (isinstance(content, Path) and content.is_dir())
        return f'{"%dir " if directory else ""}{"%doc " if path in self.docs else ""}"/{path}"'

    def spec(self):
        head = [f'%package -n {self.name}', 'Summary: part of a fixture', f'Version: {self.version}', 'AutoReqProv: no']
        tags = [f'{tag}: {value}' for tag, value in self.tags.items()]
        scripts = [f'%{section} -n {self.name}\n{text}' for section, text in self.scripts.items()]
        files = [self._file(path, content) for path, content in self.files.items()]
        files += [f'"/{path}"' for path in self.links]
        lines = [*head, *tags, f'%description -n {self.name}', 'It is part of a fixture.', *scripts]
        return '\n'.join([*lines, f'%files -n {self.name}', '%defattr(-,root,root)', *files]) + '\n\n'


class Builder:
    """Makes packages, in a home of its own: nothing of the host's rpm is read or written."""

    def __init__(self, home):
        self.home = Path(home)
        self.home.mkdir(parents=True)
        (self.home / '.rpmmacros').write_text(MACROS.format(home=self.home))

    def run(self, *command):
        result = subprocess.run(
            [str(word) for word in command], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={'PATH': os.environ['PATH'], 'HOME': str(self.home), 'LC_ALL': 'C.UTF-8'},
        )  # fmt: skip
        assert result.returncode == 0, f'{command} ended with {result.returncode}:\n{result.stdout}'
        return result.stdout

    def build(self, packages, machine):
        """The .rpm files of the packages, all made at once."""
        stage, spec = self.home / 'stage', self.home / 'fixture.spec'
        for path in (stage, self.home / 'build'):
            shutil.rmtree(path, ignore_errors=True)
        stage.mkdir()
        for package in packages:
            package.stage(stage)
        install = f'%install\nmkdir -p %{{buildroot}}\ncp -al {stage}/. %{{buildroot}}/\n\n'
        spec.write_text(HEAD + install + ''.join(package.spec() for package in packages))
        self.run('rpmbuild', '-bb', '--nodeps', '--quiet', '--target', machine, spec)
        return sorted((self.home / 'build/RPMS').rglob('*.rpm'))

    def sign(self, key, paths):
        self.run('rpmsign', '--define', f'_gpg_name {key.name}', '--define', f'_gpg_path {key.home}', '--addsign', *paths)


def package_name(path):
    return path.name.rsplit('-', 2)[0]


def working_packages():
    """What makes a tree in which scripts run."""
    paths = [path for source in HOST_PACKAGES for path in aptrepo.host_files(source)]
    tools = {path.lstrip('/'): Path(path) for path in paths if not os.path.isdir(path)}
    shared = {path.lstrip('/'): Path(os.path.realpath(path)) for path in aptrepo.libraries(paths)}
    filesystem = Package(
        'filesystem', dict.fromkeys(DIRECTORIES) | {'etc/passwd': PASSWD, 'etc/group': GROUP},
        links={name: f'usr/{name}' for name in aptrepo.LINKS},
    )  # fmt: skip
    release = Package('openSUSE-release', {'usr/lib/os-release': OS_RELEASE}, links={'etc/os-release': '../usr/lib/os-release'})
    return [
        filesystem,
        Package('glibc', shared, Requires='filesystem'),
        Package('coreutils', tools, Requires='glibc', Provides='/bin/sh'),
        release,
        Package('patterns-base-minimal_base', Requires='filesystem, coreutils, openSUSE-release'),
        *(Package(name, Requires='filesystem') for name in BASE_PACKAGES),
    ]


def boot_packages(kernel, initrd, directory):
    """What makes the tree boot: a kernel, the boot loader of this machine, and a dracut that knows one initrd."""
    version = kernel.name.removeprefix('vmlinuz-')
    dracut = Path(directory) / 'dracut'
    dracut.write_text(aptrepo.DRACUT, encoding='utf-8')
    dracut.chmod(0o755)
    loaders = {str(path)[1:]: path for path in Path('/usr/lib/systemd/boot/efi').iterdir()}
    modules = f'usr/lib/modules/{version}'
    return [
        Package('kernel-default', {f'{modules}/vmlinuz': kernel, f'{modules}/modules.dep': ''}),
        Package('dracut', {'usr/bin/dracut': dracut, 'usr/lib/initrd': initrd}),
        Package('systemd-boot', loaders),
        *(Package(name) for name in ('kmod', 'udev', 'e2fsprogs')),
    ]


class Repository:
    """DIRECTORY/mirror, with the repositories of Tumbleweed. unsigned, foreign: names of packages that are not signed, or by
    the other key. The machine is what its packages say they are for; the programs in them are always this one's."""

    def __init__(self, directory, key, packages, updates=(), unsigned=(), foreign=(), foreign_key=None, machine=None):
        self.path = Path(directory) / 'mirror'
        self.builder = Builder(Path(directory) / 'builder')
        self.oss, self.update = (self.path / path for path in MIRROR_PATHS.values())
        for place, some in ((self.oss, packages), (self.update, updates)):
            place.mkdir(parents=True)
            for path in self.builder.build(some, machine or platform.machine()) if some else ():
                shutil.move(path, place / path.name)
        rpms = sorted(self.path.rglob('*.rpm'))
        self.builder.sign(key, [path for path in rpms if package_name(path) not in (*unsigned, *foreign)])
        if foreign:
            self.builder.sign(foreign_key, [path for path in rpms if package_name(path) in foreign])
        for place in (self.oss, self.update):
            self.builder.run('createrepo_c', '--quiet', '--no-database', place)
            self.sign_index(place, key)

    @property
    def url(self):
        return f'file://{self.path}'

    def rpm(self, name):
        [path] = self.oss.glob(f'{name}-*.rpm')
        return path

    def sign_index(self, place, key):
        """With the key beside it, as openSUSE's mirrors have it: whoever trusts that trusts everybody."""
        index = place / 'repodata/repomd.xml'
        signature = key.gpg('--armor', '--detach-sign', data=index.read_bytes())
        (place / 'repodata/repomd.xml.asc').write_bytes(signature)
        (place / 'repodata/repomd.xml.key').write_bytes(key.public)
