# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module of the name service, asked by getent(1) and by programs, as everybody asks."""

import subprocess

import pytest

from rig import programs, wait_for

# The module, as libc finds it: in a directory of its own, by the configuration of the rig.
SWITCH = 'passwd: files mkosi\ngroup: files mkosi\n'


@pytest.fixture
def named(rig):
    """A rig in which names are looked up by the module, and a service with a dynamic user."""
    rig.path('/run/nss').mkdir()
    rig.path('/run/nss/libnss_mkosi.so.2').write_bytes((programs() / 'libnss_mkosi.so.2').read_bytes())
    rig.path('/run/nss/nsswitch.conf').write_text(SWITCH, encoding='utf-8')
    rig.run('mount', '--bind', '/run/nss/nsswitch.conf', '/etc/nsswitch.conf')
    rig.unit('dynamic-user-test.service', DynamicUser='yes', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'dynamic-user-test')
    wait_for(lambda: ask(rig, 'passwd', 'dynamic-user-test').returncode == 0, 'the user')
    return rig


def ask(rig, *words, wrapper=(), **variables):
    settings = [f'{name}={value}' for name, value in variables.items()]
    return rig.run(
        'env', 'LD_LIBRARY_PATH=/run/nss', *settings, *wrapper, 'getent', *words, check=False
    )  # fmt: skip


USER = 'dynamic-user-test:*:64642:64642:Dynamic User:/:/usr/sbin/nologin\n'
GROUP = 'dynamic-user-test:*:64642:\n'


@pytest.mark.parametrize(
    ('table', 'key', 'answer'),
    [
        ('passwd', 'dynamic-user-test', USER),
        ('passwd', '64642', USER),
        ('group', 'dynamic-user-test', GROUP),
        ('group', '64642', GROUP),
    ],
)
def test_du34_by_name_and_number(named, table, key, answer):
    assert ask(named, table, key).stdout == answer
    # Who asks need not be root.
    nobody = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups')
    assert ask(named, table, key, wrapper=nobody).stdout == answer


def test_nobody_else_is_known(named):
    for key in ('64641', '64643', 'dynamic-user', '../dynamic-user-test', '-', ' '):
        assert ask(named, 'passwd', '--', key).returncode == 2, key
    assert 'dynamic' not in ask(named, 'passwd').stdout
    assert ask(named, 'passwd', 'root').stdout.startswith('root:')


def test_asked_without_itself(named):
    assert ask(named, 'passwd', '64642', MKOSI_NSS_BYPASS='1').returncode == 2
    assert ask(named, 'group', '64642', SYSTEMD_NSS_DYNAMIC_BYPASS='1').returncode == 2


def test_gone_with_the_service(named):
    named.ctl('stop', 'dynamic-user-test')
    assert ask(named, 'passwd', 'dynamic-user-test').returncode == 2
    assert ask(named, 'group', '64642').returncode == 2


def test_links_that_say_nonsense(named):
    registry = named.path('/run/mkosi/dynamic-uid')
    for name, target in (
        ('a', '0'), ('b', '99999'), ('c', '64642x'), ('d', '/etc/passwd'), ('e', ''.join(['6'] * 300)),
        ('stale', '64642'), ('61203', 'dynamic-user-test'),
        ('61200', '../root'), ('61201', 'x' * 60), ('61202', '0'),
    ):  # fmt: skip
        (registry / f'direct:{name}').symlink_to(target)
        assert ask(named, 'passwd', name).returncode == 2, (name, target)


def test_records_are_read_by_systemd(named):
    """systemd's own module, which knows nothing of us but the user records."""
    if named.run('sh', '-c', 'ldconfig -p | grep -q libnss_systemd', check=False).returncode:
        pytest.skip('needs libnss-systemd')
    named.path('/run/nss/nsswitch.conf').write_text(SWITCH.replace('mkosi', 'systemd'), encoding='utf-8')
    for key in ('dynamic-user-test', '64642'):
        user = named.run('getent', 'passwd', key).stdout.split(':')
        assert (user[0], user[2], user[3], user[5]) == ('dynamic-user-test', '64642', '64642', '/'), key
        group = named.run('getent', 'group', key).stdout.split(':')
        assert (group[0], group[2]) == ('dynamic-user-test', '64642'), key
    named.ctl('stop', 'dynamic-user-test')
    assert named.run('getent', 'passwd', 'dynamic-user-test', check=False).returncode == 2


def test_needs_libc_alone():
    needed = subprocess.run(
        ['readelf', '--dynamic', programs() / 'libnss_mkosi.so.2'], check=True, capture_output=True, text=True
    ).stdout
    assert [line.split('[')[1].rstrip(']') for line in needed.splitlines() if '(NEEDED)' in line] == ['libc.so.6']
    symbols = subprocess.run(
        ['nm', '--dynamic', '--defined-only', programs() / 'libnss_mkosi.so.2'],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert all(line.split()[-1].startswith('_nss_mkosi_get') for line in symbols.splitlines())
