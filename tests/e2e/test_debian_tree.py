# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is in a tree that Debian's tools were run on, and what they saw while they ran. Offline, on a small distribution
that is made here; see aptrepo.py."""

import os
import subprocess

import aptrepo
import project as projects
import pytest

KEY_RING = '/usr/share/keyrings/debian-archive-keyring.gpg'

# Writes down what a maintainer script sees of the world.
PROBE = """\
#!/bin/sh
exec >/usr/share/probe
echo "host=$(cat /proc/sys/kernel/hostname)"
echo "initrd=$INITRD frontend=$DEBIAN_FRONTEND offline=$SYSTEMD_OFFLINE locale=$LC_ALL"
echo "epoch=$SOURCE_DATE_EPOCH secret=$SECRET proxy=$http_proxy"
echo "interfaces=$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \\n')"
echo "processes=$(ls -d /proc/[0-9]* | wc -l)"
if [ -e /etc/resolv.conf ]; then echo resolver=there; else echo resolver=none; fi
/usr/sbin/policy-rc.d; echo "policy=$?"
ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
touch /dev/left /run/left /tmp/left /var/tmp/left
"""
DOCS = {
    'usr/share/doc/documented/copyright': 'free\n',
    'usr/share/doc/documented/changelog': 'long\n',
    'usr/share/man/man1/documented.1': 'long\n',
    'usr/share/locale/de/LC_MESSAGES/documented.mo': 'long\n',
    'usr/bin/documented': 'short\n',
}
CHANGED = {'etc/changed.conf': 'from the package\n'}


@pytest.fixture(scope='module')
def repository(root_user, tmp_path_factory):
    directory = tmp_path_factory.mktemp('repository')
    key = aptrepo.Key()
    packages = [
        *aptrepo.working_packages(key.ring),
        aptrepo.Package('probe', scripts={'postinst': PROBE}),
        aptrepo.Package('documented', DOCS),
        aptrepo.Package('changed', CHANGED, scripts={'conffiles': '/etc/changed.conf\n'}),
    ]
    repository = aptrepo.Repository(directory, key, packages)
    key.close()
    (directory / 'ring.gpg').write_bytes(key.ring)
    yield repository
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def install_tree(mkosi, repository):
    program = mkosi.parents[1] / 'tests/tools/install-tree'
    assert program.exists(), f'{program} is not there: compile it'

    def run(directory, *packages, options=(), environment=None):
        mount = f'mount --bind {repository.path.parent}/ring.gpg {KEY_RING}; exec "$@"'
        command = ['unshare', '--mount', 'sh', '-ec', mount, 'sh', program, f'--mirror={repository.url}', *options]
        subprocess.run(
            [*command, aptrepo.SUITE, directory, *packages], check=True, capture_output=True, text=True,
            env=projects.clean_environment(**(environment or {})),
        )  # fmt: skip
        return directory

    return run


@pytest.fixture(scope='module')
def tree(install_tree, tmp_path_factory):
    directory = tmp_path_factory.mktemp('tree')
    environment = {'SOURCE_DATE_EPOCH': '1500000000', 'SECRET': 'tea', 'http_proxy': 'http://127.0.0.1:9'}
    cache = directory / 'cache'
    cache.mkdir()
    yield install_tree(
        directory / 'root', 'probe', 'documented', options=[f'--cache={cache}'], environment=environment
    )
    projects.remove_tree(directory)


def contents(directory):
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob('*'))


def test_scripts_see_nothing_of_the_host(tree):
    seen = dict(line.split('=', 1) for line in (tree / 'usr/share/probe').read_text().splitlines())
    # Only those of the installation: the host has many more.
    assert int(seen.pop('processes')) < 12
    assert seen == {
        'host': 'localhost',
        'initrd': 'No frontend=noninteractive offline=1 locale=C.UTF-8',
        'epoch': '1500000000 secret= proxy=',
        'interfaces': 'lo',
        'resolver': 'none',
        'policy': '101',
    }


def test_nothing_of_the_host_stays(tree):
    for name in ('etc/hostname', 'etc/hosts', 'etc/fstab', 'usr/sbin/policy-rc.d', 'debootstrap'):
        assert not os.path.lexists(tree / name), name
    for name in ('dev', 'run', 'tmp', 'var/tmp', 'proc', 'sys'):
        assert contents(tree / name) == [], name
    said = subprocess.run(['grep', '-rl', '--', f'{tree.parent}', tree], capture_output=True, text=True, check=False)
    assert said.stdout == '', 'paths of the building machine are in the tree'


def test_what_a_package_does_to_the_resolver_stays(tree):
    assert os.readlink(tree / 'etc/resolv.conf') == '../run/systemd/resolve/stub-resolv.conf'


def test_lists_archives_and_logs_are_gone(tree):
    assert contents(tree / 'var/lib/apt/lists') in ([], ['partial'])
    assert contents(tree / 'var/cache/apt/archives') in ([], ['partial'])
    assert not list(tree.glob('var/log/*.log')) and not list(tree.glob('var/log/apt/*'))
    assert not list(tree.glob('var/cache/apt/*.bin'))


def test_cache_has_packages_only(tree):
    names = contents(tree.parent / 'cache')
    assert any(name.startswith('libc6_') for name in names)
    assert all(name.endswith('.deb') for name in names)


def test_sources_are_of_use_elsewhere(tree):
    text = (tree / 'etc/apt/sources.list.d/debian.sources').read_text()
    assert 'file:' not in text and 'URIs: http://deb.debian.org/debian\n' in text
    assert f'Signed-By: {KEY_RING}\n' in text and (tree / KEY_RING[1:]).exists()
    assert not (tree / 'etc/apt/sources.list').exists()


def test_docs_are_left_out_but_licences(tree):
    assert (tree / 'usr/bin/documented').exists()
    assert contents(tree / 'usr/share/doc/documented') == ['copyright']
    assert not (tree / 'usr/share/man/man1/documented.1').exists()
    assert not (tree / 'usr/share/locale/de').exists()
    assert 'path-exclude=/usr/share/doc/*' in (tree / 'etc/dpkg/dpkg.cfg.d/01_nodoc').read_text()


def test_docs_stay_when_asked_for(install_tree, tmp_path):
    tree = install_tree(tmp_path / 'root', 'documented', options=['--with-docs'])
    assert contents(tree / 'usr/share/doc/documented') == ['changelog', 'copyright']
    assert not (tree / 'etc/dpkg/dpkg.cfg.d/01_nodoc').exists()
    projects.remove_tree(tmp_path / 'root')


def test_two_installations_are_alike(install_tree, tmp_path):
    environment = {'SOURCE_DATE_EPOCH': '1500000000'}
    first = install_tree(tmp_path / 'first', 'probe', 'documented', environment=environment)
    second = install_tree(
        tmp_path / 'a-longer-name', 'probe', 'documented', environment=environment | {'TZ': 'Asia/Tokyo'}
    )
    said = subprocess.run(
        ['diff', '--recursive', '--brief', '--no-dereference', first, second],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    differing = [line for line in said.stdout.splitlines() if 'usr/share/probe' not in line]
    assert differing == []
    for tree in (first, second):
        projects.remove_tree(tree)


def test_configuration_that_is_there_is_kept(install_tree, tmp_path):
    tree = install_tree(tmp_path / 'root', options=['--only-bootstrap'])
    (tree / 'etc/changed.conf').write_text('from the project\n')
    install_tree(tree, 'changed', options=['--only-install'])
    assert (tree / 'etc/changed.conf').read_text() == 'from the project\n'
    projects.remove_tree(tree)
