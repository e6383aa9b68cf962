# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd-dissect of a newer systemd than that of the host, which knows image policies: it is unpacked with all that it
needs, out of packages of Debian that apt has checked, and run there. An earlier run may have left it in the cache."""

import shutil
import subprocess

import cache
import guest

SUITE = 'trixie'
PACKAGE = 'systemd-container'
SOURCES = 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian {suite} main\n'

# The tree sees no more of the host than devices, /proc and /sys, and the image.
SCRIPT = """
mount --bind "$1" "$2/image.raw"
for directory in dev proc sys; do mount --rbind "/$directory" "$2/$directory"; done
root=$2
shift 2
exec chroot "$root" systemd-dissect "$@"
"""


def apt(directory, *words, **options):
    """Runs apt-get on the packages of the newer suite, with all that it keeps in a directory of ours, which
    make_apt_directory() made."""
    settings = {
        'Dir::Etc::sourcelist': directory / 'sources.list', 'Dir::Etc::sourceparts': '-',
        'Dir::State': directory / 'state', 'Dir::State::status': directory / 'status',
        'Dir::Cache': directory / 'cache', 'APT::Install-Recommends': 'false', 'APT::Sandbox::User': 'root',
    }  # fmt: skip
    guest.run('apt-get', '--quiet', '--yes', *(f'--option={name}={value}' for name, value in settings.items()), *words, **options)


def make_apt_directory(directory):
    shutil.rmtree(directory, ignore_errors=True)
    for name in ('state/lists/partial', 'cache/archives/partial'):
        (directory / name).mkdir(parents=True)
    (directory / 'sources.list').write_text(SOURCES.format(suite=SUITE))
    (directory / 'status').write_text('')
    apt(directory, 'update')


def _unpack(root):
    directory = root.with_name(f'{root.name}.apt')
    make_apt_directory(directory)
    apt(directory, '--download-only', 'install', PACKAGE)
    for archive in sorted((directory / 'cache/archives').glob('*.deb')):
        guest.run('dpkg-deb', '--extract', archive, root)
    for name in ('dev', 'proc', 'sys', 'run', 'tmp', 'var/tmp'):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / 'image.raw').touch()
    shutil.rmtree(directory)


def tree():
    return cache.kept(cache.directory() / f'systemd-{SUITE}', _unpack)


def validate(image, policy):
    """The exit status, and what was said."""
    words = ['--validate', f'--image-policy={policy}', '/image.raw']
    result = subprocess.run(
        ['unshare', '--mount', '--propagation=private', 'sh', '-ec', SCRIPT, 'sh', image, tree(), *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return result.returncode, result.stdout
