# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees and images of Arch Linux, installed by the real pacman with signatures checked, from a small repository that
is made here; see pacmanrepo.py."""

import functools
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import aptrepo
import guest
import pacmanrepo
import project as projects
import pytest
import small
from pacmanrepo import Package

EPOCH = '1600000000'
HOST_PATHS = ('/etc/pacman.conf', '/etc/pacman.d', '/var/lib/pacman', '/var/cache/pacman', '/var/log/pacman.log')

# Writes down what a script of a package sees of the world.
PROBE = """\
post_install() {
        exec >/usr/share/probe
        echo "host=$(cat /proc/sys/kernel/hostname)"
        echo "offline=$SYSTEMD_OFFLINE locale=$LC_ALL secret=$SECRET proxy=$http_proxy"
        echo "interfaces=$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \\n')"
        echo "version=$1"
        if [ -e /etc/resolv.conf ]; then echo resolver=there; else echo resolver=none; fi
        if [ -c /dev/null ] && [ -d /sys/class ]; then echo kernel=there; fi
        touch /dev/left /run/left /tmp/left /var/tmp/left
}
"""
DOCS = {
    'usr/share/doc/documented/changelog': 'long\n',
    'usr/share/man/man1/documented.1': 'long\n',
    'usr/share/locale/de/LC_MESSAGES/documented.mo': 'long\n',
    'usr/share/locale/locale.alias': 'short\n',
    'usr/share/licenses/documented/LICENSE': 'free\n',
    'usr/bin/documented': 'short\n',
}
HOOK = pacmanrepo.post_transaction_hook('usr/share/hooked', '/bin/cp /usr/share/hooked /usr/share/hook-has-run')
COMPILER = '#!/bin/sh\necho "made of $(cat "$1")"\n'
FAILING = 'post_install() {\n        echo the reason is tea >&2\n        return 3\n}\n'


def packages(other_key):
    return [
        *pacmanrepo.working_packages(),
        Package('probe', install=PROBE, repository='extra'),
        Package('documented', DOCS, repository='extra'),
        Package('hooked', {'usr/share/hooked': 'yes\n', f'{pacmanrepo.HOOKS}/50-fixture.hook': HOOK}),
        Package('compiler', {'usr/lib/compiler': COMPILER}, repository='extra'),
        Package('failing', install=FAILING),
        Package('left', conflict=['right']),
        Package('right', {'usr/share/right': ''}),
        Package('needy', depend=['nowhere']),
        Package('unsigned', {'usr/share/unsigned': ''}, key=None),
        Package('foreign', {'usr/share/foreign': ''}, key=other_key),
        Package('altered', {'usr/share/altered': 'what was meant'}),
        Package('big', {'usr/share/big': os.urandom(64 << 20)}),
    ]


def look(paths):
    """All there is to see of files and directories: names, modes, times and contents."""
    seen = {}
    for top in map(Path, paths):
        for path in [top, *sorted(top.rglob('*'))] if os.path.lexists(top) else []:
            status = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ''
            seen[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
    return seen


@pytest.fixture(scope='module')
def key():
    key = aptrepo.Key()
    yield key
    key.close()


@pytest.fixture(scope='module')
def other_key():
    key = aptrepo.Key()
    yield key
    key.close()


@pytest.fixture(scope='module')
def repository(root_user, key, other_key, tmp_path_factory):
    """The fixture's packages, and some that no one should install. The key lies beside it."""
    directory = tmp_path_factory.mktemp('repository')
    repository = pacmanrepo.Repository(directory, key, packages(other_key))
    (directory / 'key.asc').write_bytes(key.gpg('--armor', '--export'))
    altered = repository.package('altered')
    altered.write_bytes(altered.read_bytes()[:-1] + b'x')
    yield repository
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def settings(repository):
    return (
        f'[Distribution]\nDistribution=arch\nMirror={repository.url}\n'
        f'RepositoryKeys={repository.path.parent}/key.asc\n'
    )


@pytest.fixture(scope='module')
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp('arch')
    yield path
    projects.remove_tree(path)


@pytest.fixture(scope='module')
def home(directory):
    """A home with a gpg that has its own ideas."""
    path = directory / 'home'
    (path / '.gnupg').mkdir(parents=True, mode=0o700)
    (path / '.gnupg/gpg.conf').write_text('trust-model always\n')
    return path


@pytest.fixture(scope='module')
def built(mkosi, settings, directory, home):
    """A project whose tree was built, and what there was to see of the host before."""
    output = '[Output]\nFormat=directory\nManifest=yes\n[Packages]\nPackages=probe documented hooked\n'
    project = projects.Project(directory / 'tree', mkosi, settings + output)
    project.host = look([*HOST_PATHS, home])
    project.environment = {
        'SOURCE_DATE_EPOCH': EPOCH, 'SECRET': 'tea', 'http_proxy': 'http://127.0.0.1:9', 'HOME': str(home),
    }  # fmt: skip
    project.run(environment=project.environment)
    project.tree = project.directory / 'image'
    return project


def pacman(tree, *words):
    """What the real pacman says of a tree."""
    return small.run(
        'pacman', '--config', '/dev/null', '--root', tree, '--dbpath', tree / 'var/lib/pacman', *words
    )


def contents(path):
    return sorted(found.relative_to(path).as_posix() for found in path.rglob('*'))


def test_scripts_see_nothing_of_the_host(built):
    seen = dict(line.split('=', 1) for line in (built.tree / 'usr/share/probe').read_text().splitlines())
    assert seen == {
        'host': 'localhost',
        'offline': '1 locale=C.UTF-8 secret= proxy=',
        'interfaces': 'lo',
        'version': '1-1',
        'resolver': 'none',
        'kernel': 'there',
    }


def test_hooks_run_in_the_tree(built):
    assert (built.tree / 'usr/share/hook-has-run').read_text() == 'yes\n'


def test_nothing_of_the_host_stays(built):
    for name in ('dev', 'run', 'tmp', 'var/tmp', 'proc', 'sys', 'var/log'):
        assert contents(built.tree / name) == [], name
    assert not (built.tree / 'etc/pacman.d/gnupg').exists() and not (built.tree / 'root/.gnupg').exists()
    said = subprocess.run(
        ['grep', '-rlE', '--', f'{built.directory}|/run/tree|/run/pacman', built.tree],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout == '', 'paths of the building machine are in the tree'


def test_databases_and_archives_are_gone(built):
    assert contents(built.tree / 'var/lib/pacman/sync') == []
    assert contents(built.tree / 'var/cache') == []
    assert not (built.tree / 'var/lib/pacman/db.lck').exists()


def test_host_is_unchanged(built, home):
    assert look([*HOST_PATHS, home]) == built.host


def test_database_and_manifest_agree(built):
    manifest = json.loads((built.directory / 'image.manifest').read_text())
    assert manifest['distribution'] == 'arch'
    found = [(package['name'], package['version']) for package in manifest['packages']]
    said = [tuple(line.split()) for line in pacman(built.tree, '-Q').splitlines()]
    assert found == sorted(said)
    assert {package['architecture'] for package in manifest['packages']} == {pacmanrepo.ARCHITECTURE}
    assert {'base', 'filesystem', 'probe', 'documented', 'hooked'} <= {name for name, version in found}
    assert 'ID=arch\n' in (built.tree / 'etc/os-release').read_text()


def test_files_are_those_of_the_packages(built):
    """pacman compares all files with what .MTREE says of them: sizes, modes, owners, links."""
    for name in ('bash', 'glibc', 'hooked'):
        assert ' 0 altered files' in pacman(built.tree, '-Qkk', name)


def test_signatures_were_checked(built):
    for line in pacman(built.tree, '-Qi').splitlines():
        if line.startswith('Validated By'):
            assert line.endswith(': Signature')


def test_mirror_is_of_use_elsewhere(built):
    text = (built.tree / 'etc/pacman.d/mirrorlist').read_text()
    assert text.startswith('Server = https://geo.mirror.pkgbuild.com/$repo/os/$arch\n')


def test_docs_are_left_out_but_licences(built):
    assert (built.tree / 'usr/bin/documented').exists()
    assert (built.tree / 'usr/share/licenses/documented/LICENSE').exists()
    assert (built.tree / 'usr/share/locale/locale.alias').exists()
    for name in ('doc/documented/changelog', 'man/man1/documented.1', 'locale/de/LC_MESSAGES/documented.mo'):
        assert not (built.tree / 'usr/share' / name).exists(), name


def test_same_bytes(mkosi, settings, directory, built):
    """At another time, in another time zone, in a directory of another name; docs and all."""
    output = '[Output]\nFormat=tar\nOutput=image.tar\nCompressOutput=no\n[Packages]\nPackages=probe hooked\n'
    images = []
    for name in ('first', 'a-longer-name'):
        project = projects.Project(directory / name, mkosi, settings + output)
        project.run('--with-docs', environment=built.environment | ({'TZ': 'Asia/Tokyo'} if images else {}))
        images.append((project.directory / 'image.tar').read_bytes())
    assert images[0] == images[1]
    assert f'\n%INSTALLDATE%\n{EPOCH}\n'.encode() in images[0]


def test_docs_stay_when_asked_for(mkosi, settings, project_directory):
    project = projects.Project(project_directory, mkosi, settings + '[Output]\nFormat=directory\n')
    project.run('--with-docs', '--package=documented')
    for name in DOCS:
        assert (project.directory / 'image' / name).exists(), name


@pytest.fixture
def server(repository):
    """The mirror by HTTP, and what was asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=repository.path)
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as served:
        served.asked = asked
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def test_cache_is_used(mkosi, settings, project_directory, server, repository):
    """Packages are fetched once; nothing but packages and their signatures is kept."""
    project = projects.Project(project_directory, mkosi, settings + '[Output]\nFormat=directory\n')
    mirror = f'--mirror=http://127.0.0.1:{server.server_port}/'
    (project.directory / 'mkosi.cache').mkdir()
    environment = {'no_proxy': '127.0.0.1', 'NO_PROXY': '127.0.0.1'}
    project.run(mirror, '--package=documented', environment=environment)
    assert any(path.endswith('.zst') for path in server.asked)
    names = contents(project.directory / 'mkosi.cache/arch')
    assert 'documented-1-1-x86_64.pkg.tar.zst' in names
    assert all(re.fullmatch(r'.*\.zst(\.sig)?', name) for name in names)

    server.asked.clear()
    project.run(mirror, '-f', '--package=documented', environment=environment)
    assert server.asked and not [path for path in server.asked if '.pkg.' in path]
    text = (project.directory / 'image/etc/pacman.d/mirrorlist').read_text()
    assert text.startswith(f'Server = http://127.0.0.1:{server.server_port}/$repo/os/$arch\n')


def test_cached_package_that_was_changed(mkosi, settings, project_directory):
    """What lies in the cache is checked like what comes from the mirror."""
    project = projects.Project(project_directory, mkosi, settings + '[Output]\nFormat=directory\n')
    (project.directory / 'mkosi.cache').mkdir()
    project.run()
    cached = project.directory / 'mkosi.cache/arch/filesystem-1-1-x86_64.pkg.tar.zst'
    cached.write_bytes(cached.read_bytes()[:-1] + b'x')
    project.run('-f', status=1)


BUILD_SCRIPT = """\
#!/bin/sh -e
mkdir -p "$DESTDIR/usr/share"
sh /usr/lib/compiler source >"$DESTDIR/usr/share/made"
"""


def test_build_packages_and_incremental_builds(mkosi, settings, repository, project_directory):
    """What only the build script needs is not in the image; a second build installs nothing anew."""
    project = projects.Project(
        project_directory, mkosi,
        settings + '[Output]\nFormat=directory\nManifest=yes\n[Packages]\nBuildPackages=compiler\n',
    )  # fmt: skip
    project.write('mkosi.build', BUILD_SCRIPT, mode=0o755)
    project.write('source', 'tea')
    project.run('-i')
    tree = project.directory / 'image'
    assert (tree / 'usr/share/made').read_text() == 'made of tea\n'
    assert not (tree / 'usr/lib/compiler').exists()
    manifest = json.loads((project.directory / 'image.manifest').read_text())
    assert 'compiler' not in {package['name'] for package in manifest['packages']}

    project.write('source', 'milk')
    plan = project.run('plan', '-i').stdout
    assert '(null)' not in plan
    project.run('-i', '-f', '--mirror=file:///', status=1)
    said = project.run('-i', '-f').stderr
    assert (tree / 'usr/share/made').read_text() == 'made of milk\n'
    assert projects.PACKAGES not in said
    # Who is trusted is part of what the tree was made of.
    shutil.copy(repository.path.parent / 'key.asc', project.directory / 'ring.gpg')
    (project.directory / 'ring-trusted').write_text('')
    plan = project.run('plan', '-i', f'--repository-key={project.directory}/ring.gpg').stdout
    assert re.search(r'keys in \S*/ring-trusted is new', plan), plan


def test_ext4(mkosi, settings, project_directory, foreign_tool):
    project = projects.Project(project_directory, mkosi, settings)
    project.run()
    image, filesystem = project.directory / 'image.raw', project.directory / 'root.ext4'
    [root] = small.partitions(image)
    small.cut(image, root, filesystem)
    small.run(foreign_tool('e2fsck'), '-fn', filesystem)
    said = small.run(foreign_tool('debugfs'), '-R', 'cat /var/lib/pacman/local/base-1-1/desc', filesystem)
    assert '%NAME%\nbase\n' in said


def test_bootable(mkosi, key, project_directory, tmp_path, tmp_path_factory):
    """A kernel, an initrd and the boot loader, as packages of Arch Linux have them, become a disk that boots."""
    kernel, initrd = guest.kernel(), guest.make_initrd(tmp_path_factory.mktemp('initrd'))
    more = pacmanrepo.boot_packages(kernel, initrd, tmp_path)
    repository = pacmanrepo.Repository(tmp_path, key, [*pacmanrepo.working_packages(), *more])
    project = projects.Project(
        project_directory, mkosi,
        f'[Distribution]\nDistribution=arch\nMirror={repository.url}\n[Output]\nBootable=yes\nManifest=yes\n',
    )  # fmt: skip
    (project.directory / 'mkosi.keys').mkdir()
    (project.directory / 'mkosi.keys/fixture.gpg').write_bytes(key.ring)
    project.run()

    names = {package['name'] for package in json.loads((project.directory / 'image.manifest').read_text())['packages']}
    assert {package.name for package in more} <= names
    esp = small.esp(project.directory / 'image.raw', tmp_path)
    version = kernel.name.removeprefix('vmlinuz-')
    [unified] = [path for path in small.programs(esp) if path.name.startswith('linux-')]
    assert unified.name == f'linux-{version}.efi'
    content = tmp_path / 'content'
    small.run('objcopy', '-O', 'binary', '--only-section=.osrel', unified, content)
    assert 'Arch Linux fixture' in content.read_text(errors='replace')
    small.run('objcopy', '-O', 'binary', '--only-section=.linux', unified, content)
    assert content.read_bytes()[: kernel.stat().st_size] == kernel.read_bytes()
    filesystem = small.cut(
        project.directory / 'image.raw', small.partitions(project.directory / 'image.raw')[-1], tmp_path / 'root'
    )
    assert 'initrd-made-too-early' not in small.run('debugfs', '-R', 'ls -p /usr/share', filesystem)
    shutil.rmtree(esp)


def web_of_trust(directory, n_masters, withdrawn=False):
    """A key, and a ring in pacman's own layout in which so many trusted keys vouch for it; the last of them may think
    better of it."""
    key = aptrepo.Key()
    [fingerprint] = re.findall(r'^fpr:+(\w+):', key.gpg('--list-keys', '--with-colons').decode(), re.MULTILINE)
    trusted = ''
    for number in range(n_masters):
        key.gpg('--quick-generate-key', f'Master {number}', 'ed25519', 'cert', 'never')
        said = key.gpg('--list-keys', '--with-colons', f'Master {number}').decode()
        [master] = re.findall(r'^fpr:+(\w+):', said, re.MULTILINE)
        key.gpg('--yes', '--local-user', master, '--quick-sign-key', fingerprint)
        trusted += f'{master}:4:\n'
    if withdrawn:
        # A revocation of the same second as the signature revokes nothing.
        signed = int(time.time())
        while int(time.time()) == signed:
            time.sleep(0.05)
        key.gpg('--yes', '--quick-revoke-sig', fingerprint, master)
    (directory / 'ring.gpg').write_bytes(key.gpg('--export'))
    (directory / 'ring-trusted').write_text(trusted)
    return key, fingerprint


@pytest.mark.parametrize(
    'n_masters, change, status',
    [(3, None, 0), (2, None, 1), (3, 'revoked', 1), (3, 'withdrawn', 1)],
    ids=['enough', 'too few', 'revoked', 'withdrawn'],
)
def test_trust(root_user, mkosi, project_directory, tmp_path, n_masters, change, status):
    """As with Arch Linux's own ring: a packager's key counts when three trusted keys have signed it."""
    key, fingerprint = web_of_trust(tmp_path, n_masters, withdrawn=change == 'withdrawn')
    if change == 'revoked':
        (tmp_path / 'ring-revoked').write_text(f'{fingerprint}\n')
    repository = pacmanrepo.Repository(tmp_path, key, pacmanrepo.working_packages(), signed_databases=False)
    key.close()
    project = projects.Project(
        project_directory, mkosi,
        f'[Distribution]\nDistribution=arch\nMirror={repository.url}\nRepositoryKeys={tmp_path}/ring.gpg\n'
        '[Output]\nFormat=directory\n',
    )  # fmt: skip
    said = project.run(status=status).stderr
    assert status == 0 or 'not signed by a key that is trusted' in said


class Failing:
    """Builds that fail; each has exactly one error."""

    def __init__(self, mkosi, directory, settings):
        self.project = projects.Project(directory, mkosi, settings)

    def run(self, *arguments, mounts=()):
        wrapper = ['unshare', '--mount', 'sh', '-ec']
        wrapper.append(''.join(f'mount {words}; ' for words in mounts) + 'exec "$@"')
        said = self.project.run('--format=directory', *arguments, status=1, wrapper=[*wrapper, 'sh']).stderr
        assert not (self.project.directory / 'image').exists() and self.project.workspaces == []
        return said

    def expect(self, *texts, arguments=(), mounts=()):
        said = self.run(*arguments, mounts=mounts)
        [error] = re.findall(r'^mkosi: error: (.*)$', said, re.MULTILINE)
        for text in texts:
            assert text in error, said
        return said


@pytest.fixture
def failing(mkosi, settings, project_directory):
    return Failing(mkosi, project_directory, settings)


UNREACHABLE = 'the mirror cannot be reached, check Mirror= and the network'
UNKNOWN_KEY = 'not signed by a key that is trusted'


@pytest.mark.parametrize(
    'package, texts',
    [
        ('nosuch', ['no such package, check Packages= and Repositories=', 'target not found: nosuch']),
        ('unsigned', ['a package is not signed', 'unsigned-1-1']),
        ('foreign', [UNKNOWN_KEY]),
        ('altered', ['signature is bad', 'altered']),
        ('failing', ['a script of a package failed']),
        ('needy', ['packages contradict each other or lack what they need, check Packages=', 'nowhere']),
    ],
)
def test_packages_that_cannot_be_installed(failing, package, texts):
    said = failing.expect(*texts, arguments=[f'--package={package}'])
    assert package != 'failing' or 'the reason is tea' in said


def test_packages_that_contradict_each_other(failing):
    said = failing.expect('packages contradict each other', arguments=['--package=left', '--package=right'])
    assert 'left' in said and 'are in conflict' in said


def test_unreachable_mirror(failing):
    failing.expect(UNREACHABLE, arguments=['--mirror=http://127.0.0.1:9/arch'])
    failing.expect(UNREACHABLE, 'nosuch.invalid', arguments=['--mirror=http://nosuch.invalid/arch'])


def test_unknown_repository(failing):
    failing.expect('no such repository, check Repositories=', 'nosuch', arguments=['--repositories=core,nosuch'])


def test_what_is_refused_before_anything_is_done(failing):
    assert 'Mirror=file:///nonexistent is not a directory' in failing.run('--mirror=file:///nonexistent')
    assert 'Repositories=options cannot be the name of a repository' in failing.run('--repositories=options')
    assert 'RepositoryKeys=/nonexistent cannot be read' in failing.run('--repository-key=/nonexistent')


def test_full_disk(failing, project_directory):
    output = project_directory / 'small'
    output.mkdir()
    failing.expect(
        'no space is left on the disk', arguments=[f'--output-dir={output}', '--package=big'],
        mounts=[f'-t tmpfs -o size=90m none {output}'],
    )  # fmt: skip


def test_configuration_of_the_host_is_not_read(failing, tmp_path):
    """Neither what it says of signatures, nor whom its gpg trusts."""
    etc = tmp_path / 'etc'
    small.run('cp', '-a', '/etc', etc)
    (etc / 'gnupg').mkdir(exist_ok=True)
    (etc / 'gnupg/gpg.conf').write_text('trust-model always\n')
    (etc / 'pacman.conf').write_text('[options]\nSigLevel = Never\n')
    failing.expect(UNKNOWN_KEY, arguments=['--package=foreign'], mounts=[f'--bind {etc} /etc'])
    projects.remove_tree(etc)


def test_missing_programs_are_named_at_once(failing):
    said = failing.run(mounts=['--bind /dev/null /usr/bin/pacman', '--bind /dev/null /usr/bin/gpg'])
    assert 'Program pacman is missing, install package pacman-package-manager' in said
    assert 'Program gpg is missing, install package gpg' in said


@pytest.fixture
def without_keys(mkosi, repository, project_directory):
    return Failing(mkosi, project_directory, f'[Distribution]\nDistribution=arch\nMirror={repository.url}\n')


def test_keys_of_the_distribution_refuse_the_fixture(without_keys):
    without_keys.expect(UNKNOWN_KEY)


def test_missing_key_ring(without_keys):
    said = without_keys.run(mounts=['-t tmpfs none /usr/share/keyrings'])
    assert 'There are no keys that Arch Linux is signed by: put them into mkosi.keys/' in said
    assert 'or install package archlinux-keyring' in said


def test_file_without_a_key(without_keys, tmp_path):
    (tmp_path / 'key').write_text('tea\n')
    without_keys.expect('has no OpenPGP key in it', arguments=[f'--repository-key={tmp_path}/key'])


class Expired(aptrepo.Key):
    """A key that signs on one day of 2020, and has expired by now."""

    OPTIONS = ('--faked-system-time', '20200101T000000!')

    def __init__(self):
        super().__init__()
        super().gpg(*self.OPTIONS, '--quick-generate-key', 'Expired', 'ed25519', 'sign', '1d')

    def gpg(self, *arguments, data=None):
        options = (*self.OPTIONS, '--local-user', 'Expired') if '--detach-sign' in arguments else ()
        return super().gpg(*options, *arguments, data=data)


def revoke(key):
    """By what gpg keeps for that day, with a colon in it so that it does not happen by accident."""
    [path] = (Path(key.home) / 'openpgp-revocs.d').glob('*.rev')
    key.gpg('--import', data=path.read_bytes().replace(b':-----BEGIN', b'-----BEGIN'))


@pytest.mark.parametrize(
    'make, spoil, error, warning',
    [
        (Expired, None, UNKNOWN_KEY, 'it has expired: get a newer one'),
        (aptrepo.Key, revoke, 'its key was revoked', 'it was revoked: get a newer one'),
    ],
    ids=['expired', 'revoked'],
)
def test_key_that_was_good_once(without_keys, tmp_path, make, spoil, error, warning):
    key = make()
    repository = pacmanrepo.Repository(tmp_path, key, pacmanrepo.working_packages(), signed_databases=False)
    if spoil:
        spoil(key)
    (tmp_path / 'key.gpg').write_bytes(key.gpg('--export'))
    key.close()
    said = without_keys.expect(
        error, arguments=[f'--mirror={repository.url}', f'--repository-key={tmp_path}/key.gpg']
    )  # fmt: skip
    assert warning in said


@pytest.mark.parametrize('change', ['key', 'content'])
def test_database_that_is_wrong(without_keys, key, other_key, tmp_path, change):
    """Databases need no signature, but one that they have has to be right."""
    repository = pacmanrepo.Repository(tmp_path, key, pacmanrepo.working_packages())
    database = repository.directory('core') / 'core.db.tar.gz'
    if change == 'key':
        repository.sign(other_key, database)
    else:
        repository.add('core', [repository.package('base')])
        subprocess.run(['gzip', '-d', database], check=True)
        subprocess.run(['gzip', '-1', database.with_suffix('')], check=True)
    (tmp_path / 'key.gpg').write_bytes(key.ring)
    without_keys.expect(
        UNKNOWN_KEY if change == 'key' else 'a signature is bad',
        arguments=[f'--mirror={repository.url}', f'--repository-key={tmp_path}/key.gpg'],
    )
