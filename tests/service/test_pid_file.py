# SPDX-License-Identifier: LGPL-2.1-or-later
"""PIDFile=: which process a file can make the main one of a service that forks, and who can write that file."""

import os
import signal
import subprocess

import pytest
from rig import wait_for

SLEEP = '/bin/sleep infinity'
# What runs when /run/go is there, of a service whose first process has ended.
LATER = "/bin/sh -c '(until [ -e /run/go ]; do sleep 0.01; done; {}; exec sleep 1002) & exit 0'"
NOBODY = 65534


def forking(rig, script, pid_file='/run/fork.pid', **settings):
    rig.unit('fork.service', Type='forking', PIDFile=pid_file, ExecStart=LATER.format(script), **settings)


def start(rig):
    """Starts the service, and lets it go on when the manager waits for the file."""
    client = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'fork', stderr=subprocess.DEVNULL)
    rig.wait_state('fork', 'activating')
    rig.write('/run/go', '')
    return client.wait(60)


def command_line(rig, pid):
    return rig.path(f'/proc/{pid}/cmdline').read_text().split('\x00')[:-1]


def refusals(rig):
    return [line for line in rig.log('-u', 'fork') if 'PIDFile= is not taken' in line]


@pytest.mark.parametrize(
    'script',
    [
        'mkdir -p /run/a/b; sleep 1001 & echo $! >/run/a/b/pid',
        # The whole tree at once, and the file by a name that comes last.
        'mkdir -p /run/new/b; sleep 1001 & echo $! >/run/new/b/x; mv /run/new/b/x /run/new/b/pid; mv /run/new /run/a',
        # A directory that is watched goes, and another one comes.
        'mkdir /run/a; sleep 0.2; rmdir /run/a; sleep 0.2; mkdir -p /run/a/b; sleep 1001 & echo $! >/run/a/b/pid',
        'mkdir -p /run/real/b; sleep 0.2; ln -s real /run/a; sleep 1001 & echo $! >/run/real/b/pid',
        # Half of it first.
        'mkdir -p /run/a/b; : >/run/a/b/pid; sleep 0.2; sleep 1001 & echo $! >/run/a/b/pid',
    ],
    ids=['made', 'renamed', 'made again', 'linked', 'empty first'],
)
def test_directory_that_comes_later(rig, script):
    forking(rig, script, '/run/a/b/pid')
    assert start(rig) == 0
    assert command_line(rig, rig.main_pid('fork')) == ['sleep', '1001']


def test_relative_path(rig):
    """Relative paths are below /run, wherever the manager runs."""
    forking(rig, 'sleep 1001 & echo $! >/run/fork.pid', 'fork.pid')
    assert start(rig) == 0
    assert command_line(rig, rig.main_pid('fork')) == ['sleep', '1001']


def test_file_goes_with_the_service(rig):
    forking(rig, 'sleep 1001 & echo $! >/run/fork.pid')
    assert start(rig) == 0
    assert rig.exists('/run/fork.pid')
    rig.ctl('stop', 'fork')
    assert not rig.exists('/run/fork.pid')


def test_nothing_else_goes_with_the_service(rig):
    """A service that puts a link in the place of its own directory has nothing of others removed."""
    rig.write('/run/precious/pid', '1\n')
    forking(
        rig,
        'install -d -o nobody /run/a; sleep 1001 & echo $! >/run/a/pid',
        '/run/a/pid',
    )
    assert start(rig) == 0
    rig.shell(f'rm -r /run/a; ln -s precious /run/a; chown -h {NOBODY} /run/a')
    rig.ctl('stop', 'fork')
    assert rig.exists('/run/precious/pid')


@pytest.mark.parametrize(
    'script, reason',
    [
        # A file of the service's own user, and one that only seems to be root's.
        ('echo $pid >/run/x; chown nobody /run/x; mv /run/x /run/pid', 'others than root can have written that'),
        ('install -d -o nobody /run/a; echo $pid >/run/a/pid; ln -s a/pid /run/pid', 'others than root'),
        # A link of the user to a file of root that tells of a process.
        (
            'echo $pid >/run/roots; ln -s roots /run/x; chown -h nobody /run/x; mv /run/x /run/pid',
            'A symbolic link on the way',
        ),
        # What would have the manager wait, and what is no number.
        ('mkfifo /run/pid', 'no regular file'),
        ('mkdir /run/pid', 'no regular file'),
        ('echo none >/run/pid', 'no number of a process'),
        ('echo 1 >/run/pid', 'no number of a process'),
        ('head -c 300 /dev/zero >/run/x; mv /run/x /run/pid', 'Cannot read'),
        ('echo $manager >/run/pid', 'not one of the service'),
        ('echo $victim >/run/pid', 'one of victim.service'),
    ],
)
def test_what_is_refused(rig, script, reason):
    """$pid is a process that is nobody's: only root can give it to the service."""
    rig.unit('victim.service', Type='exec', ExecStart=SLEEP)
    rig.ctl('start', 'victim')
    foreign = subprocess.Popen(['sleep', '1003'])
    numbers = f'pid={foreign.pid}; victim={rig.main_pid("victim")}; manager={rig.manager_pid()}'
    try:
        rig.write('/run/script', f'{numbers}\n{script}\n')
        forking(rig, '. /run/script', '/run/pid', TimeoutStartSec='500ms')
        assert start(rig) != 0
        assert rig.show('fork', 'Result') == 'timeout'
        assert foreign.poll() is None
        said = refusals(rig)
        assert len(said) == 1 and reason in said[0], said
    finally:
        foreign.kill()
        foreign.wait()
    assert rig.state('victim') == 'active'


def test_file_of_a_user_names_a_process_of_the_service(rig):
    """Also in a directory of that user, and root's file there."""
    forking(
        rig,
        'install -d -o nobody /run/a; sleep 1001 & echo $! >/run/a/root; ln -s /run/a/root /run/pid',
        '/run/pid',
    )
    assert start(rig) == 0
    assert command_line(rig, rig.main_pid('fork')) == ['sleep', '1001']


REPLACE = 'sleep 1003 & echo $! >/run/x; mv /run/x /run/fork.pid'


def test_main_process_that_is_replaced(rig):
    """One that writes another number before it ends is no end of the service; one that does not is."""
    forking(rig, f'sleep 1001 & echo $! >/run/fork.pid; (until [ -e /run/next ]; do sleep 0.01; done; {REPLACE}) & :')
    assert start(rig) == 0
    first = rig.main_pid('fork')
    rig.write('/run/next', '')
    wait_for(lambda: rig.path('/run/fork.pid').read_text() != f'{first}\n', 'the other process')
    assert rig.main_pid('fork') == first
    rig.send(first, signal.SIGTERM)
    wait_for(lambda: rig.main_pid('fork') != first, 'the manager to see it')
    second = rig.main_pid('fork')
    assert rig.state('fork') == 'active'
    assert command_line(rig, second) == ['sleep', '1003']
    rig.kill_manager()
    rig.start_manager()
    assert rig.main_pid('fork') == second
    # The file is as it was.
    rig.send(second, signal.SIGTERM)
    rig.wait_state('fork', 'inactive')


def test_main_process_that_is_replaced_by_reload(rig):
    forking(rig, 'sleep 1001 & echo $! >/run/fork.pid', ExecReload=f"/bin/sh -c '{REPLACE.replace('$!', '$$!')}'")
    assert start(rig) == 0
    first = rig.main_pid('fork')
    rig.ctl('reload', 'fork')
    second = rig.main_pid('fork')
    assert second != first and command_line(rig, second) == ['sleep', '1003']
    rig.send(first, signal.SIGTERM)
    rig.ctl('list-units')
    assert rig.state('fork') == 'active'


def test_root_names_a_process_of_nobody(rig):
    """It is the main process, is found again by the next manager, and its end is that of the service."""
    foreign = subprocess.Popen(['sleep', '1003'])
    try:
        forking(rig, f'echo {foreign.pid} >/run/fork.pid')
        assert start(rig) == 0
        assert rig.main_pid('fork') == foreign.pid
        rig.kill_manager()
        rig.start_manager()
        assert rig.main_pid('fork') == foreign.pid
        rig.ctl('stop', 'fork')
        assert wait_for(lambda: foreign.poll() is not None, 'the end of the main process')
    finally:
        foreign.kill()
        foreign.wait()


def test_a_number_that_was_given_again(rig):
    """What is not of the service's group is told by when it began, and not by its number alone."""
    foreign = subprocess.Popen(['sleep', '1003'])
    try:
        forking(rig, f'echo {foreign.pid} >/run/fork.pid')
        assert start(rig) == 0
        rig.kill_manager()
        path = rig.path('/run/mkosi/units/fork.service/state')
        text = path.read_text()
        began = open(f'/proc/{foreign.pid}/stat').read().rsplit(')', 1)[1].split()[19]
        assert f'"mainBegan":{began}' in text.replace(' ', '')
        path.write_text(text.replace(began, str(int(began) - 1)))
        rig.start_manager()
        assert rig.main_pid('fork') == 0
        assert foreign.poll() is None
        os.kill(foreign.pid, 0)
    finally:
        foreign.kill()
        foreign.wait()
