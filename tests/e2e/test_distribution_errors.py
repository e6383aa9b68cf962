# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can go wrong with packages, for every package manager: one error, of the same shape for all, with what was
wanted, why it failed, what helps, and the manager's own words; and nothing stays behind."""

import re
import shutil
import subprocess

import distributions
import project as projects
import pytest

ROWS = {name: distributions.DISTRIBUTIONS[name] for name in ('fedora', 'opensuse', 'ubuntu', 'arch')}
NOTHING_LISTENS = 'http://127.0.0.1:9/mirror'
SMALL_DISK = '12m'

# What was wanted: why, and what helps (what the manager said).
SHAPE = r'Failed to [a-z].*: {meaning}.* \(.+\)'
UNREACHABLE = 'the mirror cannot be reached, check Mirror= and the network'
PACKAGE = 'the release has no such package, check Packages= and Repositories='
FULL = 'no space is left on the disk'

# The programs that each needs of the host, with the packages of the host that have them.
PROGRAMS = {
    'fedora': [('/usr/bin/dnf-3', 'dnf'), ('/usr/bin/rpm', 'rpm')],
    'opensuse': [('/usr/bin/zypper', 'zypper'), ('/usr/bin/rpm', 'rpm')],
    'ubuntu': [('/usr/sbin/debootstrap', 'debootstrap'), ('/usr/bin/gpgv', 'gpgv')],
    'arch': [('/usr/bin/pacman', 'pacman-package-manager'), ('/usr/bin/gpg', 'gpg')],
}
# The same programs, where the host is another distribution.
FOREIGN_HOST = {
    'fedora': ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'python3-dnf'),
    'opensuse': ('ID=arch\n', 'rpm-tools'),
    'ubuntu': ('ID=fedora\n', 'gnupg2'),
    'arch': ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'gpg2'),
}
# Each names a release that the mirror does not have; Arch Linux has none.
RELEASES = {'fedora': '45', 'opensuse': '15.6', 'ubuntu': 'noble'}
# A file of a mirror that is signed; the bytes behind it do not agree with the signature any more.
SIGNED = {
    'fedora': 'releases/44/Everything/*/os/repodata/repomd.xml',
    'opensuse': 'tumbleweed/repo/oss/repodata/repomd.xml',
    'ubuntu': 'dists/resolute/InRelease',
    'arch': 'core/os/x86_64/filesystem-*.zst',
}


@pytest.fixture
def refuse(mkosi, root_user, project_directory):
    """Builds in vain, and answers what kept it from that."""

    def run(row, *arguments, mounts=(), n_errors=1):
        project = projects.Project(project_directory, mkosi, row.settings())
        wrapper = row.wrapper()
        if mounts:
            script = ''.join(f'mount {mount}; ' for mount in mounts)
            wrapper = ['unshare', '--mount', '--propagation=private', 'sh', '-ec', f'{script}exec "$@"', 'sh', *wrapper]
        said = project.run('--format=directory', *arguments, status=1, wrapper=wrapper).stderr
        left = {path.name for path in project_directory.rglob('*')} - {'mkosi.default', 'small', 'os-release'}
        assert not left, f'{left} stayed behind'
        errors = re.findall(r'^mkosi: error: (.*)$', said, re.MULTILINE)
        assert len(errors) == n_errors, said
        return '\n'.join(errors)

    return run


def assert_shape(error, meaning):
    assert re.fullmatch(SHAPE.format(meaning=re.escape(meaning)), error), error


@pytest.mark.parametrize('name', ROWS)
def test_missing_program(refuse, name):
    """All that is missing is told at once."""
    programs = PROGRAMS[name]
    mounts = [f'--bind /dev/null {program}' for program, _ in programs]
    error = refuse(ROWS[name], mounts=mounts, n_errors=len(programs))
    for program, package in programs:
        assert f'rogram {program.rsplit("/")[-1]} is missing, install package {package}' in error


@pytest.mark.parametrize('name', ROWS)
def test_missing_program_on_another_host(refuse, project_directory, name):
    host, package = FOREIGN_HOST[name]
    (project_directory / 'os-release').write_text(host)
    mounts = [f'--bind {project_directory}/os-release /usr/lib/os-release']
    mounts += [f'--bind /dev/null {program}' for program, _ in PROGRAMS[name]]
    assert f'install package {package}' in refuse(ROWS[name], mounts=mounts, n_errors=len(PROGRAMS[name]))


@pytest.mark.parametrize('name', RELEASES)
def test_unknown_release(refuse, name):
    assert_shape(refuse(ROWS[name], f'--release={RELEASES[name]}'), 'the mirror has no such release')


@pytest.mark.parametrize('name', ROWS)
def test_unreachable_mirror(refuse, name):
    assert_shape(refuse(ROWS[name], f'--mirror={NOTHING_LISTENS}'), UNREACHABLE)


@pytest.mark.parametrize('name', ROWS)
def test_bad_signature(refuse, tmp_path, name):
    mirror = tmp_path / 'mirror'
    subprocess.run(['cp', '-al', ROWS[name].url.removeprefix('file://'), mirror], check=True)
    [path] = mirror.glob(SIGNED[name])
    content = path.read_bytes()
    path.unlink()
    if name == 'ubuntu':
        path.write_bytes(content.replace(b'Origin: Ubuntu', b'Origin: Debian'))
    elif name == 'arch':
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.write_bytes(content + b'<!-- -->\n')
    error = refuse(ROWS[name], f'--mirror=file://{mirror}')
    shutil.rmtree(mirror)
    assert re.fullmatch(SHAPE.format(meaning=r".*signature is bad"), error), error


@pytest.mark.parametrize('name', ROWS)
def test_unknown_package(refuse, name):
    error = refuse(ROWS[name], '--package=nosuch')
    assert_shape(error, PACKAGE)
    assert 'nosuch' in error


@pytest.mark.parametrize('name', ROWS)
def test_full_disk(refuse, project_directory, name):
    (project_directory / 'small').mkdir()
    mounts = [f'-t tmpfs -o size={SMALL_DISK} none {project_directory}/small']
    error = refuse(ROWS[name], f'--output-dir={project_directory}/small', mounts=mounts)
    assert FULL in error and error.startswith('Failed to '), error
