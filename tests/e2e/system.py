# SPDX-License-Identifier: LGPL-2.1-or-later
"""What makes a tree boot for real, out of packages of Debian: systemd, udev, dracut, a kernel and its modules. It is
unpacked once, cut down to what a virtual machine needs, and kept in the cache of tests; the repositories of all
distributions are packed from it. What a part is called is the distribution's affair."""

import functools
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import cache
import project as projects

# Without what initrds are usually made by in Debian, and without documents.
WANTED = (
    'systemd-sysv', 'udev', 'dracut', 'kmod', 'linux-image-cloud-amd64', 'systemd-boot-efi', 'bash', 'coreutils', 'dash',
    'diffutils', 'findutils', 'grep', 'sed', 'gzip', 'mawk', 'util-linux', 'mount', 'e2fsprogs', 'libc-bin', 'base-passwd',
    'apt', 'initramfs-tools-',
)  # fmt: skip
SKIPPED = re.compile(
    r'\./(usr/share/(?!base-passwd|dpkg|libc-bin|systemd)|usr/lib/x86_64-linux-gnu/(gconv|perl)|usr/lib/(locale|debug)'
    r'|boot/(System|config)|var/|run/|etc/(init\.d|cron|kernel|alternatives|default)'
    # What Debian's systemd starts that needs a message bus, or hardware that no virtual machine has.
    r'|(usr/)?lib/systemd/system/multi-user\.target\.wants/systemd-logind\.service'
    r'|(usr/)?lib/udev/(hwdb\.d|hwdb\.bin))'
)  # fmt: skip
MERGED = ('bin', 'sbin', 'lib', 'lib64')
# What dracut is asked to add, and what it looks for itself; the rest of the kernel's modules would be packed seven times
# and never loaded.
MODULES = (
    'virtio_blk', 'virtio_pci', 'virtio_scsi', 'virtio_rng', 'nvme', 'loop', 'overlay', 'ext4', 'btrfs', 'squashfs',
    'dm-mod', 'dm-crypt', 'dm-verity', 'efivarfs', 'autofs4', 'vfat', 'nls_ascii', 'nls_cp437', 'nls_utf8',
)  # fmt: skip

# Parts by the packages of Debian that they are made of; "libraries" is what no other part has.
PARTS = {
    'kernel': r'linux-image-\d',
    'dracut': r'dracut',
    'kmod': r'kmod',
    'udev': r'udev',
    'systemd': r'libsystemd-shared|systemd(?!-boot)',
    'loader': r'systemd-boot-efi',
    'e2fsprogs': r'e2fsprogs|logsave',
    'util-linux': r'util-linux|mount',
    'dpkg': r'dpkg',
    'apt': r'apt|gpgv|libapt-pkg',
    'tools': r'bash|coreutils|cpio|dash|debianutils|diffutils|findutils|mawk|grep|gzip|sed|tar|libc-bin|base-passwd|passwd|'
    r'login',
    'libraries': r'lib|zlib|gcc',
}  # fmt: skip

GROUPS = 'systemd-journal:x:101:\n'
UNUSED_SECONDS = 7 * 24 * 60 * 60


@functools.cache
def recipe():
    """Changes with everything that what is kept follows from."""
    here = Path(__file__).parent
    names = ('system.py', 'distributions.py', 'aptrepo.py', 'rpmrepo.py', 'pacmanrepo.py')
    texts = [(here / name).read_bytes() for name in names]
    return hashlib.sha256(b'\0'.join(texts)).hexdigest()[:16]


def kept(name, make):
    """The directory of that name in the cache; make(directory) fills it when it is not there. What another recipe made is removed when nobody has used it for a week: checkouts may share a cache."""
    place = cache.directory() / 'distributions'
    path = place / recipe() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    os.utime(path.parent)
    for old in place.iterdir():
        if old.name != 'archives' and old.stat().st_mtime < time.time() - UNUSED_SECONDS:
            projects.remove_tree(old)
    return cache.kept(path, make)


def run(*command, **keywords):
    result = subprocess.run(
        [str(word) for word in command], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=projects.clean_environment(), **keywords,
    )  # fmt: skip
    assert result.returncode == 0, f'{command} ended with {result.returncode}:\n{result.stdout}'
    return result.stdout


def archives():
    """The .deb files of what is wanted and what that depends on, found and checked by apt for a system that has nothing
    yet."""
    place = cache.directory() / 'distributions/archives'
    (place / 'partial').mkdir(parents=True, exist_ok=True)

    def install(directory, option):
        settings = (
            f'Dir::Cache::archives={directory}', 'Dir::State::status=/dev/null', 'Debug::NoLocking=1',
            'APT::Sandbox::User=root',
        )  # fmt: skip
        options = [word for setting in settings for word in ('--option', setting)]
        return run('apt-get', *options, '--quiet', '--yes', '--no-install-recommends', 'install', option, *WANTED)

    # Of what is in its cache already apt names nothing.
    listed = install('/nonexistent', '--print-uris')
    install(place, '--download-only')
    return [place / name for name in re.findall(r"^'\S+' (\S+\.deb) ", listed, re.MULTILINE)]


def part_of(package):
    return next((part for part, pattern in PARTS.items() if re.match(pattern, package)), None)


def merged(name):
    """A path as a tree with a merged /usr has it."""
    path = name.removeprefix('./')
    return f'usr/{path}' if path.split('/')[0] in MERGED else path


def unpack(archive, tree):
    """Unpacks what is not skipped, and answers the paths of all but directories."""
    content = subprocess.run(['dpkg-deb', '--fsys-tarfile', archive], check=True, capture_output=True).stdout
    paths = []
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for member in tar:
            if member.isdir() or SKIPPED.match(member.name):
                continue
            path = tree / merged(member.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                path.symlink_to(member.linkname)
            elif member.islnk():
                os.link(tree / merged(member.linkname), path)
            else:
                path.write_bytes(tar.extractfile(member).read())
                path.chmod(member.mode)
            paths.append(str(path.relative_to(tree)))
    return paths


def module_name(path):
    return re.sub(r'\.ko.*', '', path.name).replace('-', '_')


def reduce_modules(tree, directory):
    """Leaves the modules that are wanted and what they depend on."""
    run('depmod', '--basedir', tree, directory.name)
    needs = dict(line.split(':') for line in (directory / 'modules.dep').read_text().splitlines())
    wanted, queue = set(), [path for path in needs if module_name(Path(path)) in {m.replace('-', '_') for m in MODULES}]
    while queue:
        path = queue.pop()
        if path not in wanted:
            wanted.add(path)
            queue += needs[path].split()
    for path in directory.rglob('*.ko*'):
        if str(path.relative_to(directory)) not in wanted:
            path.unlink()
    run('depmod', '--basedir', tree, directory.name)


def move_kernel(tree, paths):
    """To where it is in every distribution but Debian, beside its modules."""
    [kernel] = (tree / 'boot').iterdir()
    directory = tree / 'usr/lib/modules' / kernel.name.removeprefix('vmlinuz-')
    kernel.rename(directory / 'vmlinuz')
    reduce_modules(tree, directory)
    paths['kernel'] = [str(path.relative_to(tree)) for path in directory.rglob('*') if not path.is_dir()]


def configure(tree, paths):
    """What Debian's packages do in their scripts, as far as anything here needs it."""
    shutil.copy(tree / 'usr/share/base-passwd/passwd.master', tree / 'etc/passwd')
    groups = (tree / 'usr/share/base-passwd/group.master').read_text()
    (tree / 'etc/group').write_text(groups + GROUPS)
    shutil.copy(tree / 'usr/share/libc-bin/nsswitch.conf', tree / 'etc/nsswitch.conf')
    if not os.path.lexists(tree / 'usr/bin/awk'):
        (tree / 'usr/bin/awk').symlink_to('mawk')
        paths['tools'].append('usr/bin/awk')
    paths['tools'] += ['etc/passwd', 'etc/group', 'etc/nsswitch.conf']


def make_tree(directory):
    tree = directory / 'tree'
    for name in MERGED:
        (tree / 'usr' / name).mkdir(parents=True)
        (tree / name).symlink_to(f'usr/{name}')
    (tree / 'etc').mkdir()
    paths = {part: [] for part in PARTS}
    for archive in archives():
        part = part_of(archive.name.split('_')[0])
        if part:
            paths[part] += unpack(archive, tree)
    move_kernel(tree, paths)
    configure(tree, paths)
    for part, names in paths.items():
        (directory / part).write_text(''.join(f'{name}\n' for name in sorted(set(names))))


class System:
    """The unpacked tree, by parts."""

    def __init__(self):
        self.directory = kept('system', make_tree)
        self.tree = self.directory / 'tree'

    def content(self, *parts):
        """Files and links of parts, as packages of all repositories take them."""
        files, links = {}, {}
        for name in (name for part in parts for name in (self.directory / part).read_text().splitlines()):
            path = self.tree / name
            if path.is_symlink():
                links[name] = os.readlink(path)
            elif path.is_file():
                files[name] = path
        return {'files': files, 'links': links}

    def file(self, pattern):
        [path] = self.tree.glob(pattern)
        return path
