# SPDX-License-Identifier: LGPL-2.1-or-later
"""A signed repository of RPM packages, small and local, in the layout of Fedora's: enough of a distribution for dnf to
run for real in a few seconds, out of the programs that this machine has installed. Its packages have the names that
mkosi insists on; most are empty."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import aptrepo

RELEASE = '44'
ALGORITHM = 'rsa2048'

# Whose files make the tree work.
HOST_PACKAGES = ('coreutils', 'dash', 'findutils', 'grep', 'sed', 'gzip')
BASE_PACKAGES = ('glibc-minimal-langpack', 'systemd', 'util-linux', 'shadow-utils')
PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/sbin/nologin\n'
GROUP = 'root:x:0:\nadm:x:4:\ntty:x:5:\nnobody:x:65534:\n'
OS_RELEASE = f'ID=fedora\nNAME="Fedora fixture"\nPRETTY_NAME="Fedora fixture"\nVERSION_ID={RELEASE}\n'
DIRECTORIES = (
    'boot', 'dev', 'etc', 'home', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/bin', 'usr/lib', 'usr/lib64', 'usr/sbin', 'var',
    'var/log', 'var/tmp',
)  # fmt: skip

# Everything that makes rpmbuild quick, and independent of what the host thinks of packages.
MACROS = """\
%_topdir {directory}/build
%_dbpath {directory}/database
%_gpg_name fixture@example.org
%__gpg /usr/bin/gpg
%_binary_payload w.ufdio
%debug_package %{{nil}}
%__os_install_post %{{nil}}
%__spec_install_pre %{{nil}}
%_build_id_links none
%_unpackaged_files_terminate_build 0
"""


class Package:
    """A binary package. files: path in the tree → text, bytes, a Path of this machine, or None for a directory. Scripts are
    sections of a spec file: "post", "pre", "posttrans -p <lua>"."""

    def __init__(self, name, files=None, version='1', links=None, scripts=None, docs=(), architecture=None, **tags):
        self.name, self.version, self.files, self.docs = name, version, dict(files or {}), docs
        self.links, self.scripts, self.tags = dict(links or {}), dict(scripts or {}), tags
        self.architecture = architecture

    def stage(self, directory):
        for path, content in self.files.items():
            target = directory / path
            if content is None:
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

    def spec(self):
        lines = [f'%package -n {self.name}', 'Summary: part of a fixture', f'Version: {self.version}', 'AutoReqProv: no']
        if self.architecture:
            lines.append(f'BuildArch: {self.architecture}')
        for tag, values in self.tags.items():
            lines += [f'{tag}: {value}' for value in ([values] if isinstance(values, str) else values)]
        lines += [f'%description -n {self.name}', 'It is part of a fixture.']
        for section, text in self.scripts.items():
            word, *options = section.split(maxsplit=1)
            lines += [f'%{word} -n {self.name} {" ".join(options)}', text]
        lines += [f'%files -n {self.name}', '%defattr(-,root,root)']
        for path, content in self.files.items():
            kind = '%dir ' if content is None or (isinstance(content, Path) and content.is_dir()) else ''
            kind += '%doc ' if path in self.docs else ''
            lines.append(f'{kind}"/{path}"')
        lines += [f'"/{path}"' for path in self.links]
        return '\n'.join(lines) + '\n\n'


class Builder:
    """Makes packages, in a home of its own: nothing of the host's rpm is read or written."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / '.rpmmacros').write_text(MACROS.format(directory=self.directory))

    def run(self, *command, **environment):
        environment = {'PATH': os.environ['PATH'], 'HOME': str(self.directory), 'LC_ALL': 'C.UTF-8', **environment}
        result = subprocess.run(
            [str(word) for word in command], env=environment, check=False, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert result.returncode == 0, f'{command} ended with {result.returncode}:\n{result.stdout}'
        return result.stdout

    def build(self, packages, machine):
        """The .rpm files, by the names of their packages."""
        stage, spec = self.directory / 'stage', self.directory / 'fixture.spec'
        shutil.rmtree(stage, ignore_errors=True)
        shutil.rmtree(self.directory / 'build', ignore_errors=True)
        stage.mkdir()
        for package in packages:
            package.stage(stage)
        head = 'Name: fixture\nVersion: 1\nRelease: 1\nSummary: a fixture\nLicense: none\n\n%description\nA fixture.\n\n'
        install = f'%install\nmkdir -p %{{buildroot}}\ncp -al {stage}/. %{{buildroot}}/\n\n'
        spec.write_text(head + install + ''.join(package.spec() for package in packages))
        self.run('rpmbuild', '-bb', '--nodeps', '--quiet', '--target', machine, spec)
        rpms = {path.name.rsplit('-', 2)[0]: path for path in (self.directory / 'build/RPMS').rglob('*.rpm')}
        return {package.name: rpms[package.name] for package in packages}

    def sign(self, key, paths):
        self.run('rpmsign', '--addsign', *paths, GNUPGHOME=key.home)


def working_packages():
    """What makes a tree in which scripts run. glibc-minimal-langpack and the like have nothing in them."""
    paths = [path for source in HOST_PACKAGES for path in aptrepo.host_files(source)]
    tools = {path.lstrip('/'): Path(path) for path in paths if not Path(path).is_dir()}
    shared = {path.lstrip('/'): Path(os.path.realpath(path)) for path in aptrepo.libraries(paths)}
    # Fedora's directories for libraries, whatever the host's loader is made for.
    filesystem = Package(
        'filesystem', dict.fromkeys(DIRECTORIES) | {'etc/passwd': PASSWD, 'etc/group': GROUP},
        links={name: f'usr/{name}' for name in aptrepo.LINKS}, Provides=['/bin/sh', '/usr/bin/sh'],
    )  # fmt: skip
    return [
        filesystem,
        Package('glibc', shared, Requires='filesystem'),
        Package('coreutils', tools, Requires='glibc'),
        Package(
            'fedora-release', {'usr/lib/os-release': OS_RELEASE}, links={'etc/os-release': '../usr/lib/os-release'},
            Requires=['filesystem', 'coreutils'], architecture='noarch',
        ),  # fmt: skip
        *(Package(name, Requires='filesystem') for name in BASE_PACKAGES),
    ]


def boot_packages(kernel, initrd, directory):
    """What makes the tree boot: a kernel, the boot loader of this machine, and a dracut that knows one initrd."""
    version = kernel.name.removeprefix('vmlinuz-')
    dracut = Path(directory) / 'dracut'
    dracut.write_text(aptrepo.DRACUT, encoding='utf-8')
    dracut.chmod(0o755)
    modules = f'usr/lib/modules/{version}'
    loaders = {str(path)[1:]: path for path in Path('/usr/lib/systemd/boot/efi').iterdir()}
    return [
        Package('kernel-core', {f'{modules}/vmlinuz': kernel, f'{modules}/modules.dep': ''}),
        Package('dracut', {'usr/bin/dracut': dracut, 'usr/lib/initrd': initrd}),
        Package('systemd-boot-unsigned', loaders),
        *(Package(name) for name in ('kmod', 'systemd-udev', 'e2fsprogs', 'cryptsetup', 'device-mapper')),
    ]


class Repository:
    """DIRECTORY/fedora as a mirror of Fedora has it, with the repositories "fedora" and "updates". The machine is what its
    packages say they are for; the programs in them are always this one's."""

    def __init__(self, directory, key, packages, updates=(), unsigned=(), foreign=(), foreign_key=None, machine=None):
        self.path = Path(directory) / 'fedora'
        self.builder = Builder(Path(directory) / 'builder')
        self.machine = machine = machine or platform.machine()
        self.release = self.path / f'releases/{RELEASE}/Everything/{machine}/os'
        self.updates = self.path / f'updates/{RELEASE}/Everything/{machine}'
        self._fill(self.release, [*packages, *unsigned, *foreign])
        self._fill(self.updates, updates)
        unsigned, foreign = ({package.name for package in list_} for list_ in (unsigned, foreign))
        rpms = {path: path.name.rsplit('-', 2)[0] for path in self.path.rglob('*.rpm')}
        self.builder.sign(key, [path for path, name in rpms.items() if name not in unsigned | foreign])
        if foreign:
            self.builder.sign(foreign_key, [path for path, name in rpms.items() if name in foreign])
        for place in (self.release, self.updates):
            index(self.builder, place, key)

    @property
    def url(self):
        return f'file://{self.path}'

    def rpm(self, name):
        [path] = self.path.rglob(f'{name}-*-1.*.rpm')
        return path

    def _fill(self, place, packages):
        place.mkdir(parents=True)
        if packages:
            for path in self.builder.build(packages, self.machine).values():
                shutil.move(path, place / path.name)


def index(builder, place, key):
    builder.run('createrepo_c', '--quiet', '--no-database', place)
    repomd = place / 'repodata/repomd.xml'
    signature = key.gpg('--armor', '--detach-sign', data=repomd.read_bytes())
    (place / 'repodata/repomd.xml.asc').write_bytes(signature)
