# SPDX-License-Identifier: LGPL-2.1-or-later
"""openSUSE by the real zypper and rpm: the tree, whose signatures are believed, what is said when something is not there,
and that nothing of the machine that builds is changed. The repositories are those of suserepo.py."""

import functools
import http.server
import json
import os
import platform
import re
import subprocess
import threading
from pathlib import Path

import aptrepo
import guest
import project as projects
import pytest
import small
import suserepo

NOTHING_LISTENS = 'http://127.0.0.1:9'
HOST_PLACES = (
    '/etc', '/var/lib/rpm', '/var/lib/zypp', '/var/cache/zypp', '/var/log/zypp', '/var/log/zypper.log', '/root/.rpmdb',
    '/root/.rpmmacros', '/usr/lib/sysimage',
)  # fmt: skip

# What a script of a package sees of the world.
PROBE = """\
mkdir -p /usr/share
exec >/usr/share/probe
echo "device=$([ -c /dev/null ] && echo there)"
echo "processes=$([ -e /proc/self/status ] && echo there)"
echo "interfaces=$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \\n')"
echo "secret=$SECRET offline=$SYSTEMD_OFFLINE"
touch /dev/left /run/left /tmp/left
"""
DOCS = {
    'usr/share/doc/packages/documented/README': 'long\n',
    'usr/share/man/man1/documented.1': 'long\n',
    'usr/bin/documented': 'short\n',
}


# The tree's own rpm, of a format that no rpm of the host can write or read. It is the host's program, and only the name of
# the file is another, and what it says of itself.
RPM = """\
#!/bin/sh
case "$*" in
*--eval*) echo ndb; exit ;;
*--dbpath=*) database=${1#--dbpath=}; cp "$database/Packages.db" "$database/rpmdb.sqlite" ;;
esac
exec /usr/lib/real/rpm "$@"
"""
RPMDB = """\
#!/bin/sh
set -e
[ "$*" = --importdb ]
/usr/lib/real/rpmdb --dbpath=/run/database --importdb
cp /run/database/rpmdb.sqlite /usr/lib/sysimage/rpm/Packages.db
"""


def rpm_of_the_tree(directory):
    programs = {f'usr/lib/real/{name}': Path(f'/usr/bin/{name}') for name in ('rpm', 'rpmdb')}
    macros = {f'usr/lib/rpm/{name}': Path(f'/usr/lib/rpm/{name}') for name in ('macros', 'rpmrc')}
    shared = {path.lstrip('/'): Path(os.path.realpath(path)) for path in aptrepo.libraries(map(str, programs.values()))}
    scripts = {}
    for name, text in (('rpm', RPM), ('rpmdb', RPMDB)):
        path = scripts[f'usr/bin/{name}'] = directory / name
        path.write_text(text)
        path.chmod(0o755)
    mine = {path for package in suserepo.working_packages() for path in package.files}
    shared = {path: file for path, file in shared.items() if path not in mine}
    return suserepo.Package('rpm', programs | macros | shared | scripts, Requires='coreutils')


def packages(directory):
    package = suserepo.Package
    return [
        *suserepo.working_packages(),
        rpm_of_the_tree(directory),
        package('tea', {'usr/share/tea': 'as released\n'}),
        package('probe', scripts={'post': PROBE}, Requires='coreutils'),
        package('documented', DOCS, docs=[path for path in DOCS if 'bin' not in path]),
        package('failing-before', scripts={'pre': 'echo the reason is tea >&2; exit 3'}, Requires='coreutils'),
        package('failing-after', scripts={'post': 'echo the reason is tea >&2; exit 3'}, Requires='coreutils'),
        package('lacking', Requires='what-nobody-has'),
        package('left', Conflicts='right'),
        package('right'),
        package('unsigned'),
        package('foreign'),
        package('altered', {'usr/share/altered': 'what was meant'}),
        package('big', {'usr/share/big': bytes(96 << 20)}),
    ]


@pytest.fixture(scope='module')
def keys():
    keys = suserepo.Key(), suserepo.Key('Foreign')
    yield keys
    for key in keys:
        key.close()


@pytest.fixture(scope='module')
def repository(root_user, keys, tmp_path_factory):
    """Tumbleweed, with an update. The key lies beside it."""
    directory = tmp_path_factory.mktemp('suse')
    initrd = guest.make_initrd(tmp_path_factory.mktemp('initrd'))
    repository = suserepo.Repository(
        directory, keys[0], [*packages(directory), *suserepo.boot_packages(guest.kernel(), initrd, directory)],
        updates=[suserepo.Package('tea', {'usr/share/tea': 'as updated\n'}, version='2')],
        unsigned=['unsigned'], foreign=['foreign'], foreign_key=keys[1],
    )  # fmt: skip
    (directory / 'key.asc').write_bytes(keys[0].public)
    (directory / 'foreign.asc').write_bytes(keys[1].public)
    rpm = repository.rpm('altered')
    rpm.write_bytes(rpm.read_bytes().replace(b'what was meant', b'what was faked'))
    yield repository
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def server(repository):
    """The same by HTTP."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format, *arguments):
            pass

    with http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Handler, directory=repository.path)
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


@pytest.fixture
def small_repository(root_user, keys, tmp_path):
    """One to be damaged: nothing is ever installed from it."""
    return suserepo.Repository(tmp_path / 'small', keys[0], [suserepo.Package('tea')])


@pytest.fixture
def project(mkosi, project_directory, repository):
    def make(mirror, key='key.asc'):
        settings = f'[Distribution]\nDistribution=opensuse\nRelease=tumbleweed\nMirror={mirror}\n'
        if key:
            settings += f'RepositoryKeys={repository.path.parent}/{key}\n'
        return projects.Project(project_directory, mkosi, settings)

    return make


@pytest.fixture
def refuse(project, repository):
    """Builds in vain, and answers the only error, and all that was said."""

    def run(mirror, *arguments, key='key.asc', wrapper=()):
        built = project(mirror, key)
        said = built.run(*arguments, status=1, wrapper=wrapper).stderr
        assert not (built.directory / 'image.raw').exists() and built.workspaces == []
        [error] = re.findall(r'^mkosi: error: (.*)$', said, re.MULTILINE)
        return error

    return run


def rpm_list(tree, home):
    """By rpm itself, which writes where it reads: on a copy."""
    copy = home / 'database'
    subprocess.run(['cp', '-a', tree / 'usr/lib/sysimage/rpm', copy], check=True)
    said = small.run('rpm', '--dbpath', copy, '-qa', '--queryformat', '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\\n', HOME=str(home))
    return sorted(line for line in said.splitlines() if not line.startswith('gpg-pubkey '))


def host_state():
    """Everything that a package manager could have touched: names, sizes, times of change."""
    state = {}
    for place in HOST_PLACES:
        paths = [place, *(os.path.join(top, name) for top, some, files in os.walk(place) for name in (*some, *files))]
        for path in paths:
            if os.path.lexists(path):
                status = os.lstat(path)
                state[path] = (status.st_size, status.st_mtime_ns, status.st_mode)
    return state


@pytest.mark.parametrize('how', ['directory', 'server'])
def test_tree(project, repository, server, tmp_path, how):
    cache = tmp_path / 'cache'
    built = project(repository.url if how == 'directory' else server)
    words = ['--format=directory', '--manifest', f'--cache={cache}', *(f'--package={name}' for name in ('tea', 'probe'))]
    before = host_state()
    built.run(*words, environment={'no_proxy': '127.0.0.1', 'SECRET': 'tea'})
    assert host_state() == before
    tree = built.directory / 'image'

    assert 'opensuse-tumbleweed' in (tree / 'usr/lib/os-release').read_text()
    assert (tree / 'usr/share/tea').read_text() == 'as updated\n'
    seen = dict(line.split('=', 1) for line in (tree / 'usr/share/probe').read_text().splitlines())
    assert seen == {'device': 'there', 'processes': 'there', 'interfaces': 'lo', 'secret': ' offline=1'}

    manifest = json.loads((built.directory / 'image.manifest').read_text())
    listed = [' '.join(package[key] for key in ('name', 'version', 'architecture')) for package in manifest['packages']]
    assert sorted(listed) == rpm_list(tree, tmp_path) and any(line.startswith('tea 2-1 ') for line in listed)

    for name in ('dev', 'run', 'tmp', 'var/tmp', 'proc', 'sys', 'var/log/zypp'):
        assert not (tree / name).exists() or list((tree / name).iterdir()) == [], name
    assert [path.name for path in (tree / 'usr/lib/sysimage/rpm').iterdir()] == ['rpmdb.sqlite']
    said = subprocess.run(['grep', '-rlE', f'{built.directory}|/run/(zypper|tree)', tree], capture_output=True, text=True, check=False)
    assert said.stdout == '', 'paths of the building machine are in the tree'
    text = (tree / 'etc/zypp/repos.d/repo-oss.repo').read_text()
    mirror = server if how == 'server' else 'https://download.opensuse.org'
    assert f'\nbaseurl={mirror}/tumbleweed/repo/oss/\n' in text
    kept = [path.name for path in cache.rglob('*') if path.is_file()]
    assert all(name.endswith('.rpm') for name in kept) and (how == 'directory' or any(name.startswith('tea-2') for name in kept))


@pytest.mark.skipif(platform.machine() == 'aarch64', reason='its packages are not foreign to this machine')
def test_foreign(mkosi, root_user, keys, tmp_path, project_directory):
    """zypper and rpm take packages of a port, and run their scripts."""
    probe = suserepo.Package(
        'probe', scripts={'post': 'mkdir -p /usr/share; id -u >/usr/share/probe'}, Requires='coreutils'
    )
    repository = suserepo.Repository(tmp_path, keys[0], [*suserepo.working_packages(), probe], machine='aarch64')
    (tmp_path / 'key.asc').write_bytes(keys[0].public)
    port = repository.path / 'ports/aarch64/tumbleweed'
    port.parent.mkdir(parents=True)
    port.symlink_to('../../tumbleweed')
    built = projects.Project(
        project_directory, mkosi,
        '[Distribution]\nDistribution=opensuse\nRelease=tumbleweed\nArchitecture=arm64\n'
        f'Mirror={repository.url}\nRepositoryKeys={tmp_path}/key.asc\n',
    )  # fmt: skip
    built.run('--format=directory', '--package=probe')
    tree = built.directory / 'image'
    packages = rpm_list(tree, tmp_path)
    assert 'probe 1-1 aarch64' in packages and {line.split()[2] for line in packages} == {'aarch64'}
    assert (tree / 'usr/share/probe').read_text() == '0\n'


def test_rpm_of_the_tree_writes_its_own_database(project, repository, tmp_path):
    built = project(repository.url)
    built.run('--format=directory', '--manifest', '--package=rpm', '--package=tea')
    database = built.directory / 'image/usr/lib/sysimage/rpm'
    assert [path.name for path in database.iterdir()] == ['Packages.db']
    (database / 'Packages.db').rename(database / 'rpmdb.sqlite')

    manifest = json.loads((built.directory / 'image.manifest').read_text())
    listed = [' '.join(package[key] for key in ('name', 'version', 'architecture')) for package in manifest['packages']]
    assert sorted(listed) == rpm_list(built.directory / 'image', tmp_path)
    assert any(line.startswith('tea 2-1 ') for line in listed) and any(line.startswith('rpm 1-1 ') for line in listed)


def test_bootable_image(project, repository):
    built = project(repository.url)
    built.run('--bootable', '--manifest')
    image = built.directory / 'image.raw'
    assert [entry['name'] for entry in small.partitions(image)] == ['ESP System Partition', 'Root Partition']
    names = [path.relative_to(built.directory).as_posix() for path in small.programs(small.esp(image, built.directory))]
    assert any(re.fullmatch(r'image\.esp/EFI/Linux/.*\.efi', name) for name in names), names
    installed = {entry['name'] for entry in json.loads((built.directory / 'image.manifest').read_text())['packages']}
    assert installed >= {'kernel-default', 'dracut', 'systemd-boot', 'udev', 'e2fsprogs'}


@pytest.mark.parametrize('with_docs', [False, True])
def test_docs(project, repository, with_docs):
    built = project(repository.url)
    built.run('--format=directory', '--package=documented', *(['--with-docs'] if with_docs else []))
    tree = built.directory / 'image'
    assert (tree / 'usr/bin/documented').exists()
    assert (tree / 'usr/share/man/man1/documented.1').exists() == with_docs


def test_keys_of_the_project(project, repository, keys):
    built = project(repository.url, key=None)
    built.write('mkosi.keys/suse.asc', keys[0].public.decode())
    built.run('--format=directory')
    assert (built.directory / 'image/usr/bin/ls').exists()


def test_kept_tree(project, repository, keys):
    """It is used again until a key is another, whatever its name."""
    built = project(repository.url, key=None)
    path = built.write('mkosi.keys/suse.asc', keys[0].public.decode())
    words = ['--incremental', '--format=directory', '--package=tea']
    assert 'Installing packages' in built.run(*words).stderr
    assert 'Installing packages' not in built.run(*words, '--force', '--hostname=teapot').stderr
    path.write_bytes(keys[0].public + keys[1].public)
    assert 'Installing packages' in built.run(*words, '--force', '--hostname=cup').stderr


def test_no_keys(refuse, repository):
    assert 'There are no keys that openSUSE "tumbleweed" is signed by: put them into mkosi.keys/' in refuse(repository.url, key=None)


def test_key_that_is_not_trusted(refuse, repository):
    """Though the mirror offers the right one."""
    error = refuse(repository.url, key='foreign.asc')
    assert 'install openSUSE "tumbleweed"' in error and 'the repository is not signed by a key that is trusted' in error


def test_bad_signature(refuse, small_repository):
    with open(small_repository.oss / 'repodata/repomd.xml', 'a', encoding='utf-8') as index:
        index.write('<!-- -->\n')
    assert "the archive's signature is bad" in refuse(small_repository.url)


def test_repository_without_signature(refuse, small_repository):
    for name in ('asc', 'key'):
        (small_repository.oss / f'repodata/repomd.xml.{name}').unlink()
    assert 'the repository is not signed' in refuse(small_repository.url)


@pytest.mark.parametrize(
    'package,expected',
    [
        ('unsigned', 'a package is not signed'),
        ('foreign', 'a package is not signed by a key that is trusted'),
        ('altered', "a package's signature is bad"),
        ('nosuch', 'the release has no such package, check Packages= and Repositories='),
        ('lacking', 'packages contradict each other or lack what they need'),
        ('failing-before', 'a script of a package failed'),
    ],
)
def test_packages_that_are_refused(refuse, repository, package, expected):
    assert expected in refuse(repository.url, f'--package={package}')


def test_packages_that_contradict_each_other(refuse, repository):
    assert 'packages contradict each other' in refuse(repository.url, '--package=left', '--package=right')


def test_script_that_fails_behind_the_installation(project, repository):
    said = project(repository.url).run('--format=directory', '--package=failing-after').stderr
    assert 'Installed, but a script of a package failed: ' in said and 'failing-after' in said


@pytest.mark.parametrize('where', ['cache', 'tree'])
def test_full_disk(refuse, repository, project_directory, tmp_path, where):
    output = project_directory / 'small'
    output.mkdir()
    wrapper = ['unshare', '--mount', 'sh', '-ec', f'mount -t tmpfs -o size=64m none {output}; exec "$@"', 'sh']
    words = [f'--output-dir={output}', '--package=big', *([f'--cache={tmp_path}/cache'] if where == 'tree' else [])]
    error = refuse(repository.url, *words, wrapper=wrapper)
    assert 'no space is left on the disk' in error


@pytest.mark.parametrize(
    'arguments,expected',
    [
        (['--release=15.6'], 'the mirror has no such release or repository, check Release=, Repositories= and Mirror='),
        (['--release=leap'], 'Release="leap" cannot be the name of a release of openSUSE'),
        (['--mirror', NOTHING_LISTENS], 'the mirror cannot be reached, check Mirror= and the network'),
        (['--repositories=nosuch'], 'Repositories=nosuch is no repository of openSUSE "tumbleweed"'),
    ],
    ids=['release', 'name', 'mirror', 'repository'],
)
def test_errors(refuse, repository, arguments, expected):
    assert expected in refuse(repository.url, *arguments)


def test_missing_programs(refuse, repository):
    script = 'mount --bind /dev/null /usr/bin/zypper; exec "$@"'
    error = refuse(repository.url, wrapper=['unshare', '--mount', 'sh', '-ec', script, 'sh'])
    assert 'zypper is missing, install package zypper' in error
