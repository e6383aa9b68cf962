# SPDX-License-Identifier: LGPL-2.1-or-later
"""Repositories of every distribution with what makes its images boot: the parts of system.py under the names, in the
packages and on the mirrors of each. Each is made once, in seconds, and kept in the cache of tests."""

import platform
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import aptrepo
import pacmanrepo
import rpmrepo
import system

MACHINE = platform.machine()

# Packages of the distributions that install by RPM, and the parts in them; none is as good for what only has to be there.
FEDORA = {
    'glibc': ['libraries'], 'coreutils': ['tools'], 'util-linux': ['util-linux'], 'systemd': ['systemd'],
    'systemd-udev': ['udev'], 'dracut': ['dracut'], 'kmod': ['kmod'], 'kernel-core': ['kernel'], 'e2fsprogs': ['e2fsprogs'],
    'glibc-minimal-langpack': [], 'shadow-utils': [],
}  # fmt: skip
MAGEIA = {
    'glibc': ['libraries'], 'coreutils': ['tools'], 'util-linux': ['util-linux'], 'systemd': ['systemd', 'udev'],
    'dracut': ['dracut'], 'kmod': ['kmod'], 'kernel-server-latest': ['kernel'], 'e2fsprogs': ['e2fsprogs'],
}  # fmt: skip
OPENSUSE = {
    'glibc': ['libraries'], 'coreutils': ['tools'], 'util-linux': ['util-linux'], 'systemd': ['systemd'],
    'udev': ['udev'], 'systemd-boot': ['loader'], 'dracut': ['dracut'], 'kmod': ['kmod'], 'kernel-default': ['kernel'],
    'e2fsprogs': ['e2fsprogs'], 'dbus-1': [], 'shadow': [],
}  # fmt: skip
UBUNTU = {
    'libc6': ['libraries'], 'coreutils': ['tools'], 'util-linux': ['util-linux'], 'dpkg': ['dpkg'], 'apt': ['apt'],
    'systemd-sysv': ['systemd'], 'udev': ['udev'], 'systemd-boot-efi': ['loader'], 'systemd-boot': [], 'dracut': ['dracut'],
    'kmod': ['kmod'], 'linux-image-generic': ['kernel'], 'e2fsprogs': ['e2fsprogs'], 'mawk': [], 'perl-base': [],
    'base-passwd': [], 'dbus': [], 'libpam-systemd': [],
}  # fmt: skip
APT_DIRECTORIES = (
    *(f'etc/apt/{name}.d' for name in ('apt.conf', 'preferences', 'sources.list', 'trusted.gpg')),
    'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial',
)  # fmt: skip
ARCH = {
    'glibc': ['libraries'], 'bash': ['tools'], 'util-linux': ['util-linux'], 'systemd': ['systemd', 'udev', 'loader'],
    'dracut': ['dracut'], 'kmod': ['kmod'], 'linux': ['kernel'], 'e2fsprogs': ['e2fsprogs'],
}  # fmt: skip


# What the generators of the other families call the mirror.
MIRRORS = {'ubuntu': 'ubuntu', 'arch': 'arch'}


@dataclass(frozen=True)
class Distribution:
    """A row. places: where the repositories lie on a mirror, that with the packages first; release_package has
    os-release, and needs all of the base."""

    name: str
    release: str
    packages: dict
    make: callable
    places: tuple = ()
    release_package: str = ''
    rpm_database: str = ''
    loader_of_host: bool = False
    boots: bool = True  # is one of those whose images are booted, which takes half a minute
    identity: dict = field(default_factory=dict)  # more of os-release

    @property
    def directory(self):
        return system.kept(self.name, lambda directory: self.make(self, system.System(), directory))

    @property
    def url(self):
        return f'file://{self.directory / MIRRORS.get(self.name, "mirror")}'

    @property
    def os_release(self):
        if self.make is make_apt:
            return aptrepo.UBUNTU.os_release
        words = {'ID': self.name, 'NAME': f'"{self.name} fixture"', 'PRETTY_NAME': f'"{self.name} fixture"'}
        words |= {'VERSION_ID': self.release} | self.identity
        return ''.join(f'{key}={value}\n' for key, value in words.items())

    def settings(self):
        """The beginning of a mkosi.default."""
        release = f'Release={self.release}\n' if self.release else ''
        keys = '' if self.make is make_apt else f'RepositoryKeys={self.directory}/key.asc\n'
        return f'[Distribution]\nDistribution={self.name}\n{release}Mirror={self.url}\n{keys}\n'

    def wrapper(self):
        """What has to stand before mkosi's command line: Ubuntu's key ring is where the host has it."""
        if self.make is not make_apt:
            return []
        ring = aptrepo.UBUNTU.key_ring
        script = f'mount -t tmpfs none /usr/share/keyrings; cp {self.directory}/ring.gpg {ring}; exec "$@"'
        return ['unshare', '--mount', '--propagation=private', 'sh', '-ec', script, 'sh']


def new_key(directory):
    """What every package manager can check; its public half lies beside the repository."""
    key = aptrepo.Key(rpmrepo.ALGORITHM)
    (directory / 'key.asc').write_bytes(key.gpg('--armor', '--export'))
    (directory / 'ring.gpg').write_bytes(key.ring)
    return key


def rpm_packages(row, content):
    filesystem = rpmrepo.Package(
        'filesystem', dict.fromkeys(rpmrepo.DIRECTORIES),
        links={name: f'usr/{name}' for name in aptrepo.LINKS}, Provides=['/bin/sh', '/usr/bin/sh'],
    )  # fmt: skip
    release = rpmrepo.Package(
        row.release_package, {'usr/lib/os-release': row.os_release}, links={'etc/os-release': '../usr/lib/os-release'},
        Requires=['filesystem', 'coreutils', 'glibc', 'util-linux'],
    )  # fmt: skip
    return [
        filesystem,
        release,
        *(rpmrepo.Package(name, **content(*parts), Requires='filesystem') for name, parts in row.packages.items()),
    ]


def make_rpm(row, host, directory):
    key = new_key(directory)
    builder = rpmrepo.Builder(directory / 'builder')
    mirror = directory / 'mirror'
    for place in row.places:
        (mirror / place).mkdir(parents=True)
    built = builder.build(rpm_packages(row, host.content), MACHINE).values()
    builder.sign(key, built)
    for path in built:
        shutil.move(path, mirror / row.places[0] / path.name)
    for place in row.places:
        rpmrepo.index(builder, mirror / place, key)
        (mirror / place / 'repodata/repomd.xml.key').write_bytes((directory / 'key.asc').read_bytes())
    key.close()
    shutil.rmtree(builder.directory)


def make_apt(row, host, directory):
    archive = aptrepo.UBUNTU
    key = new_key(directory)
    required = ('libc6', 'coreutils', 'dpkg', 'mawk', 'perl-base', 'base-passwd', 'util-linux')
    universe = ('dracut', 'systemd-boot')
    packages = [
        aptrepo.Package(
            name, **host.content(*parts), priority='required' if name in required else 'optional',
            component='universe' if name in universe else 'main',
        )
        for name, parts in row.packages.items()
    ]  # fmt: skip
    base = dict.fromkeys((*aptrepo.DIRECTORIES, *APT_DIRECTORIES)) | {'usr/lib/os-release': archive.os_release}
    links = {name: f'usr/{name}' for name in aptrepo.LINKS} | {'etc/os-release': '../usr/lib/os-release'}
    packages.append(aptrepo.Package('base-files', base, priority='required', links=links))
    next(package for package in packages if package.name == 'apt').fields['Depends'] = archive.key_ring_package
    packages.append(aptrepo.Package(archive.key_ring_package, {archive.key_ring[1:]: key.ring}, priority='important'))
    aptrepo.Repository(directory, key, packages, archive=archive, pockets={'updates': [], 'security': []})
    key.close()


def arch_content(content):
    return {kind: {pacmanrepo.usr_merged(path): what for path, what in some.items()} for kind, some in content.items()}


def make_pacman(row, host, directory):
    key = new_key(directory)
    filesystem = pacmanrepo.DIRECTORIES | {
        'usr/lib/os-release': row.os_release, 'etc/pacman.d/mirrorlist': pacmanrepo.MIRROR_LIST,
    }  # fmt: skip
    links = pacmanrepo.LINKS | {'etc/os-release': '../usr/lib/os-release'}
    packages = [pacmanrepo.Package('filesystem', filesystem, links=links)]
    provides = {'bash': ['sh'], 'dracut': ['initramfs']}
    packages += [
        pacmanrepo.Package(
            name, **arch_content(host.content(*parts)), depend=['filesystem'], provides=provides.get(name, []),
            repository='extra' if name == 'dracut' else 'core',
        )
        for name, parts in row.packages.items()
    ]  # fmt: skip
    packages.append(pacmanrepo.Package('base', depend=['filesystem', 'glibc', 'bash', 'systemd', 'util-linux']))
    pacmanrepo.Repository(directory, key, packages, signed_databases=False)
    key.close()


USR_DATABASE, VAR_DATABASE = 'usr/lib/sysimage/rpm', 'var/lib/rpm'
DISTRIBUTIONS = {
    row.name: row
    for row in (
        Distribution(
            'fedora', '44', FEDORA | {'systemd-boot-unsigned': ['loader']}, make_rpm,
            (f'releases/44/Everything/{MACHINE}/os', f'updates/44/Everything/{MACHINE}'), 'fedora-release', USR_DATABASE,
        ),
        Distribution(
            'centos', '10', FEDORA, make_rpm,
            (f'10-stream/BaseOS/{MACHINE}/os', f'10-stream/AppStream/{MACHINE}/os'), 'centos-stream-release', USR_DATABASE,
            loader_of_host=True,
        ),
        *(
            Distribution(
                name, '10', FEDORA, make_rpm, (f'10/BaseOS/{MACHINE}/os', f'10/AppStream/{MACHINE}/os'),
                f'{identity}-release', USR_DATABASE, loader_of_host=True, boots=False,
                identity={'ID': identity, 'VERSION_ID': '"10.1"'},
            )
            for name, identity in (('alma', 'almalinux'), ('rocky', 'rocky'))
        ),
        Distribution(
            'mageia', '9', MAGEIA, make_rpm,
            (f'distrib/9/{MACHINE}/media/core/release', f'distrib/9/{MACHINE}/media/core/updates'), 'basesystem-minimal',
            VAR_DATABASE, loader_of_host=True, boots=False,
        ),
        Distribution(
            'opensuse', 'tumbleweed', OPENSUSE, make_rpm, ('tumbleweed/repo/oss', 'update/tumbleweed'),
            'patterns-base-minimal_base', USR_DATABASE,
            identity={'ID': '"opensuse-tumbleweed"', 'VERSION_ID': '"20260420"'},
        ),
        Distribution('ubuntu', aptrepo.UBUNTU.suite, UBUNTU, make_apt),
        Distribution('arch', '', ARCH, make_pacman, identity={'VERSION_ID': 'rolling'}),
    )
}  # fmt: skip
