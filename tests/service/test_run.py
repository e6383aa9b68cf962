# SPDX-License-Identifier: LGPL-2.1-or-later
"""Transient services: what the client says, how it ends, its streams and its terminal; with a manager and without one."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest
from rig import wait_for

# What a service uses up, in the order in which it is told.
LINES_OF_WAIT = [
    r'Running as unit: run-u\d+\.service',
    r'Finished with result: success',
    r'Main processes terminated with: code=exited/status=0',
    r'Service runtime: [0-9.]+[mu]?s',
]


@pytest.fixture(params=['manager', 'alone'])
def machine(request, rig):
    """The rig, once with a manager and once without: for transient services there is to be no difference."""
    rig.options = []
    if request.param == 'alone':
        rig.kill_manager(signal.SIGTERM)
        rig.options = [f'--helper={rig.programs / "mkosi-exec"}']
    return rig


def start(machine, *arguments, **options):
    return machine.transient(*machine.options, *arguments, **options)


def leavings(rig):
    """All that is there of services: files, mounts, namespaces' names, cgroups."""
    files = rig.shell(
        'find /run /var /tmp /etc/systemd -not -path "/run/mkosi/log*" -not -path /run/mkosi/private | sort'
    ).stdout
    mounts = rig.shell('cat /proc/self/mounts').stdout
    groups = sorted(str(path) for path in rig.cgroup.parent.glob('*')) + sorted(
        str(path) for path in rig.cgroup.glob('**/') if path != rig.cgroup
    )
    return files, mounts, [path for path in groups if 'mkosi-test' not in path or path.startswith(str(rig.cgroup))]


class Terminal:
    """The client on a terminal of its own, with somebody who types."""

    def __init__(self, machine, *arguments, size=(24, 80)):
        self.text = ''
        self.master, side = pty.openpty()
        self.resize(*size)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.before = termios.tcgetattr(side)
        self.side = side
        self.client = machine.popen(
            machine.programs / 'mkosi-run', *machine.options, *arguments,
            stdin=side, stdout=side, stderr=side, preexec_fn=take_terminal,
        )  # fmt: skip
        os.set_blocking(self.master, False)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self):
        try:
            while data := os.read(self.master, 65536):
                self.text += data.decode(errors='replace')
        except OSError:
            pass  # nothing more for now, or for ever
        return self.text

    def expect(self, pattern):
        """What was shown up to the first match goes; the match is returned."""
        found = wait_for(lambda: re.search(pattern, self.read()), f'{pattern!r} on the terminal')
        self.text = self.text[found.end() :]
        return found

    def wait(self):
        def ended():
            self.read()
            return self.client.poll() is not None

        wait_for(ended, 'the end of the client')
        self.read()
        return self.client.returncode

    def close(self):
        if self.client.poll() is None:
            self.client.kill()
            self.client.wait()
        os.close(self.master)
        os.close(self.side)


@pytest.fixture
def terminal(machine):
    terminals = []

    def make(*arguments, **options):
        terminals.append(Terminal(machine, *arguments, **options))
        return terminals[-1]

    yield make
    for one in terminals:
        one.close()


def match_lines(text, patterns):
    lines = text.splitlines()
    assert len(lines) == len(patterns), text
    for line, pattern in zip(lines, patterns):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_ip27_ip28_lines_of_wait(machine):
    """IP27, IP28: how it went, line by line, and on standard error; nothing of traffic that nobody counts."""
    result = start(machine, '--wait', '/bin/echo', 'data')
    match_lines(result.stderr, LINES_OF_WAIT)
    assert 'IP traffic' not in result.stderr


def test_ip32_runtime_as_people_write_it(machine):
    """IP32: seconds with three digits, or milliseconds."""
    stderr = start(machine, '--wait', '/bin/sleep', '1.05').stderr
    assert re.search(r'^Service runtime: \d+\.\d{1,3}s$', stderr, re.M), stderr


def test_ip54_cpu_time_when_counted(machine):
    """IP54: what is told is what was used, by the shell and by its children: half a second at least."""
    busy = 'import time\nwhile time.process_time() < 0.5: pass'
    stderr = start(machine, '--wait', '-p', 'CPUAccounting=yes', 'sh', '-c', f"python3 -c '{busy}' & wait").stderr
    match_lines(stderr, LINES_OF_WAIT + [r'CPU time consumed: ([0-9.]+s|[5-9]\d\dms)'])
    # Without it, nothing is said.
    match_lines(start(machine, '--wait', '/bin/true').stderr, LINES_OF_WAIT)


@pytest.mark.parametrize(
    'command, status, line',
    [
        ('exit 0', 0, 'code=exited/status=0'),
        ('exit 7', 7, 'code=exited/status=7'),
        ('kill -KILL $$', 255, 'code=killed/status=KILL'),
    ],
)
def test_exit_status_is_the_services(machine, command, status, line):
    result = start(machine, '--wait', '/bin/sh', '-c', command, check=False)
    assert result.returncode == status, result.stderr
    assert line in result.stderr


def test_program_that_is_not_there(machine):
    result = start(machine, '--wait', '/does/not/exist', check=False)
    assert result.returncode == 1
    assert result.stderr.startswith('mkosi-run: error: ')


def test_words_are_given_as_they_are(machine):
    """No variable, no specifier and no quote is looked at on the way, in words and in variables."""
    words = ['$HOME', '%n %%', 'a "b" \'c\'', '\\x41', 'new\nline', '', 'ä']
    stdout = start(machine, '--pipe', '-E', 'V=%n "$HOME"', '/usr/bin/printf', '[%s]', *words).stdout
    assert stdout == ''.join(f'[{word}]' for word in words)
    assert start(machine, '--pipe', '-E', 'V=%n "$HOME"', '/usr/bin/printenv', 'V').stdout == '%n "$HOME"\n'


def test_settings_that_are_wrong(machine):
    result = start(machine, '-p', 'PrivateTmp=perhaps', '/bin/true', check=False)
    assert result.returncode == 1
    assert 'PrivateTmp' in result.stderr


def test_ip49_du28_pipeline(machine):
    """DU28, IP49: in a pipeline only data goes through, as another user, and the status is the command's."""
    machine.write('/run/words', 'b foobar\na\na foobar\n')
    script = (
        f'cat /run/words | {machine.programs}/mkosi-run {" ".join(machine.options)} '
        '--pipe --property=DynamicUser=1 sort -u | grep foobar'
    )
    assert machine.shell(script).stdout == 'a foobar\nb foobar\n'
    uid = start(machine, '--pipe', '-p', 'DynamicUser=1', 'id', '-u').stdout
    assert 61184 <= int(uid) <= 65519
    assert start(machine, '--pipe', 'sh', '-c', 'exit 4', check=False).returncode == 4


def test_pipe_is_binary(machine):
    """A megabyte comes back as it went."""
    script = (
        'head -c 1000000 /dev/urandom >/run/data; '
        f'{machine.programs}/mkosi-run {" ".join(machine.options)} --pipe -q cat </run/data | cmp - /run/data'
    )
    machine.shell(script)


def test_nothing_is_left_of_a_run(machine):
    """No file, no mount, no cgroup, whether it went well or not."""
    def one(command):
        start(
            machine, '--wait', '-G', '-p', 'DynamicUser=yes', '-p', 'RuntimeDirectory=left', '-p', 'PrivateTmp=yes',
            '/bin/sh', '-c', command, check=False,
        )  # fmt: skip

    one('exit 0')
    wait_for(lambda: not os.listdir(machine.path('/run/mkosi/transient')), 'the end of what came before')
    before = leavings(machine)
    for command in ('exit 0', 'exit 1', 'kill -KILL $$', 'touch /tmp/file'):
        one(command)
    assert wait_for(lambda: leavings(machine) == before or None, 'all that was made to go')


def test_du24_du25_state_across_runs(machine, terminal):
    """DU24, DU25: a shell of a dynamic user on a terminal; the next one finds the file, as the same user by another name."""
    found = []
    for command in ('echo hallo >/var/lib/wuff/test', 'cat /var/lib/wuff/test'):
        shell = terminal('--pty', '--property=DynamicUser=yes', '--property=StateDirectory=wuff', '/bin/sh')
        unit = shell.expect(r'Running as unit: (run-u\d+)\.service\r\n')[1]
        shell.expect(r'Press \^\] three times within 1s to disconnect TTY\.\r\n')
        shell.type('id -u; tty; echo end\n')
        uid = shell.expect(r'(\d+)\r\n(/dev/pts/\d+)\r\n')[1]
        shell.type(f'{command}; exit 5\n')
        if command.startswith('cat'):
            shell.expect(r'hallo\r\n')
        assert shell.wait() == 5
        found.append((unit, uid))
    assert found[0][1] == found[1][1]
    assert found[0][0] != found[1][0]
    assert machine.path('/var/lib/private/wuff/test').read_text() == 'hallo\n'
    assert machine.path('/var/lib/private/wuff/test').stat().st_uid == int(found[0][1])
    assert os.readlink(machine.path('/var/lib/wuff')) == 'private/wuff'


def test_ip29_size_follows(machine, terminal):
    """IP29: the service's terminal is as large as ours, from the first moment and when ours changes."""
    shell = terminal('-t', '/bin/sh', size=(31, 97))
    shell.expect(r'TTY\.\r\n')
    shell.type('stty size\n')
    shell.expect(r'31 97\r\n')
    shell.resize(40, 123)
    shell.type('until [ "$(stty size)" = "40 123" ]; do sleep 0.01; done; echo re""sized\n')
    shell.expect(r'resized\r\n')
    shell.type('exit\n')
    assert shell.wait() == 0


def test_ip29_job_control(machine, terminal):
    """IP29: ^Z stops what runs in the foreground, and fg goes on with it; ^C ends it."""
    shell = terminal('-t', '/bin/bash', '--norc', '-i')
    shell.type('stty -echo; PS1="<$((1+1))>"\n')
    shell.expect('<2>')
    shell.type('cat\n')
    shell.type('one\n')
    shell.expect('one\r\n')
    shell.type('\x1a')
    shell.expect('Stopped')
    shell.expect('<2>')
    shell.type('fg\n')
    shell.expect('cat\r\n')
    shell.type('two\n')
    shell.expect('two\r\n')
    shell.type('\x03')
    shell.expect('<2>')
    shell.type('echo "$?"\n')
    shell.expect('130\r\n')
    shell.type('exit 3\n')
    assert shell.wait() == 3


def test_terminal_is_given_back(machine, terminal):
    shell = terminal('-t', '/bin/sh', '-c', 'read line; exit 0')
    shell.expect(r'TTY\.\r\n')
    wait_for(lambda: termios.tcgetattr(shell.side) != shell.before, 'the terminal to be raw')
    shell.type('line\n')
    assert shell.wait() == 0
    assert termios.tcgetattr(shell.side) == shell.before


def test_piped_terminal_stays_its_owners(machine, terminal):
    """A terminal that is given as a stream belongs to whom it did, and has the mode that it had."""
    shell = terminal('--pipe', '--wait', '-q', '-p', 'User=daemon', '/bin/sh', '-c', 'test -t 0 && echo on a terminal')
    before = os.fstat(shell.side)
    shell.expect('on a terminal')
    assert shell.wait() == 0
    after = os.fstat(shell.side)
    assert (after.st_uid, after.st_mode) == (os.getuid(), before.st_mode)


def test_terminal_of_somebody_else(rig):
    """StandardInput=tty fails with 208 when the terminal is another session's."""
    master, side = pty.openpty()
    settings = ['-p', 'StandardInput=tty', '-p', f'TTYPath={os.ttyname(side)}']
    try:
        rig.transient('--unit=first', '-p', 'Type=exec', *settings, '/bin/sleep', 'infinity')
        assert rig.transient('--wait', '-q', *settings, '/bin/true', check=False).returncode == 208
        rig.ctl('stop', 'first')
    finally:
        os.close(master)
        os.close(side)


def test_ip31_summary_on_a_terminal(machine, terminal):
    """IP31: what was counted is told at the end also without --wait; else nothing is."""
    shell = terminal('-t', '-p', 'CPUAccounting=1', '/bin/true')
    assert shell.wait() == 0
    assert 'Finished with result: success' in shell.text and 'CPU time consumed: ' in shell.text
    shell = terminal('-t', '/bin/true')
    assert shell.wait() == 0
    assert 'Finished with result' not in shell.text


def test_output_before_the_end_is_shown(machine, terminal):
    """All of it, however short the service lives."""
    shell = terminal('-t', '-q', '/usr/bin/seq', '20000')
    assert shell.wait() == 0
    assert shell.text.split() == [str(i) for i in range(1, 20001)]


def test_ip30_let_go(machine, terminal):
    """IP30: three ^] at once, and the client is gone; the service runs on, is not hung up, and may say what it likes."""
    command = 'echo ready; while [ ! -e /run/end ]; do sleep 0.1; done; seq 100000; tty >/run/ended'
    shell = terminal('-t', '--unit=kept', '/bin/sh', '-c', command)
    shell.expect('ready')
    shell.type('\x1d\x1dx\x1d')  # not three in a row
    shell.expect('x')
    assert shell.client.poll() is None
    shell.type('\x1d\x1d\x1d')
    assert shell.wait() == 0
    assert termios.tcgetattr(shell.side) == shell.before
    machine.write('/run/end', '')
    assert wait_for(lambda: machine.exists('/run/ended') and machine.path('/run/ended').read_text(), 'its end') != 'not a tty\n'
    wait_for(lambda: not machine.run('pgrep', '-f', 'unit=kept', check=False).stdout, 'the end of what held its terminal')
    if machine.manager:
        machine.wait_state('kept', 'inactive')


def test_killed_client(machine):
    """SIGKILL of the client: without a manager the service ends as well, and nothing stays."""
    start(machine, '--wait', '/bin/true')
    wait_for(lambda: not os.listdir(machine.path('/run/mkosi/transient')), 'the end of what came before')
    before = leavings(machine)
    client = machine.popen(
        machine.programs / 'mkosi-run', *machine.options, '--wait', '--unit=lone', '-p', 'DynamicUser=yes',
        '-p', 'RuntimeDirectory=lone', '/bin/sleep', '98765',
    )  # fmt: skip
    wait_for(lambda: machine.exists('/run/lone') and sleepers(machine), 'the service')
    client.kill()
    client.wait()
    if machine.manager:
        assert machine.state('lone') == 'active'
        machine.ctl('stop', 'lone')
    wait_for(lambda: not sleepers(machine), 'the end of the service')
    wait_for(lambda: leavings(machine) == before, 'all that was made to go')


def sleepers(machine):
    return machine.run('pgrep', '-f', '^/bin/sleep 98765', check=False).stdout.split()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupted_client(machine, number):
    client = machine.popen(
        machine.programs / 'mkosi-run', *machine.options, '--wait', '--unit=lone', '/bin/sleep', '98765'
    )
    wait_for(lambda: sleepers(machine), 'the service')
    client.send_signal(number)
    assert client.wait(60) != 0
    if machine.manager:
        machine.ctl('stop', 'lone')
    wait_for(lambda: not sleepers(machine), 'the end of the service')


def test_manager_goes_while_the_client_waits(rig):
    """The client says so, and fails; the service is the next manager's."""
    client = rig.popen(
        rig.programs / 'mkosi-run', '--wait', '--unit=lone', '/bin/sleep', '98765', stderr=subprocess.PIPE
    )
    wait_for(lambda: sleepers(rig), 'the service')
    rig.kill_manager()
    stderr = client.communicate(timeout=60)[1]
    assert client.returncode == 1
    assert 'mkosi-run: error: The manager went away' in stderr
    rig.start_manager()
    assert rig.state('lone') == 'active'


@pytest.mark.parametrize(
    'arguments, status, error',
    [
        (['--pipe', '-p', 'WorkingDirectory=/none', '/bin/true'], 200,
         'Failed at step CHDIR spawning /bin/true: Cannot change to the directory /none: No such file or directory'),
        (['--pipe', '-q', '-p', 'RuntimeMaxSec=100ms', '/bin/sleep', '98765'], 255, 'failed with result "timeout"'),
        (['--pipe', '/bin/sh', '-c', 'kill -KILL $$'], 255, 'failed with result "signal"'),
        (['--pipe', '-p', 'Requires=bad.service', '-p', 'After=bad.service', '/bin/true'], 1, 'Dependency failed for'),
        (['--pipe', '-p', 'Requires=none.service', '/bin/true'], 1, 'Unit none.service not found.'),
        (['--pipe', '-p', 'User=../x', '/bin/true'], 1, 'User=../x: neither a name nor a number of somebody'),
        (['--pipe', '-p', 'SystemCallFilter=@none', '/bin/true'], 1, 'no group of system calls "@none" is known'),
        (['--pipe', '/bin/sh', '-c', 'exit 3'], 3, None),
        (['-p', 'Type=exec', '-p', 'User=nosuch', '/bin/true'], 1, 'There is no user "nosuch"'),
        (['-p', 'Type=oneshot', '/bin/false'], 1, 'could not be started: exit-code. See "mkosi-ctl status run-u'),
    ],
)  # fmt: skip
def test_reason_of_a_failure(machine, arguments, status, error):
    """Said once, also where nothing is asked but the program's own output."""
    machine.unit('bad.service', Type='oneshot', ExecStart='/bin/false')
    result = start(machine, *arguments, check=False)
    assert result.returncode == status and result.stdout == ''
    lines = [line for line in result.stderr.splitlines() if not line.startswith('Running as unit: ')]
    assert len(lines) == (error is not None), result.stderr
    assert error is None or (lines[0].startswith('mkosi-run: error: ') and error in lines[0])


def test_reason_of_a_failure_on_a_terminal(machine, terminal):
    shell = terminal('-t', '-p', 'User=nosuch', '/bin/true')
    shell.expect(r'run-u\d+\.service: Failed at step USER spawning /bin/true: There is no user "nosuch"')
    assert shell.wait() == 217


def test_helper_that_is_missing(rig):
    """Its path, and what helps; said once, whoever finds out."""
    rig.kill_manager(signal.SIGTERM)
    result = rig.transient('--helper=/run/none', '--pipe', '-q', '/bin/true', check=False)
    assert result.returncode == 203
    assert re.fullmatch(
        r'mkosi-run: error: run-u\d+\.service: Cannot start the helper /run/none: No such file or directory\. '
        r'Install it \(mkosi-exec\), or say by --helper= where it is\n',
        result.stderr,
    )


def test_manager_that_cannot_be(rig):
    """Without a manager: what keeps this one from being its own is said once."""
    rig.kill_manager(signal.SIGTERM)
    result = rig.transient('--runtime-directory=/proc/none', '--pipe', '/bin/true', check=False)
    assert result.returncode == 1
    assert result.stderr.startswith('mkosi-run: error: Cannot run a service without a manager: ')
    assert result.stderr.count('\n') == 1


@pytest.mark.parametrize('directory', ['/run/mkosi', '/run/none'])
def test_needs_root(rig, directory):
    result = rig.run(
        'setpriv', '--reuid=65534', '--clear-groups', rig.programs / 'mkosi-run', f'--runtime-directory={directory}',
        '/bin/true', check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr == 'mkosi-run: error: Only root runs services: say "sudo mkosi-run …", or become root\n'


def test_variables(machine):
    """The later counts, and -E more than what is a setting."""
    show = ['--pipe', '-q', '/bin/sh', '-c', 'echo $A $B']
    assert start(machine, '-E', 'A=1', '-E', 'A=2', *show).stdout == '2\n'
    assert start(machine, '-E', 'A=1', '-p', 'Environment=A=3 B=4', *show).stdout == '1 4\n'
    assert start(machine, '-E', 'A=1', '-p', 'Environment=', *show).stdout == '1\n'


def test_help_of_the_helper(rig):
    assert rig.run(rig.programs / 'mkosi-exec', '--version').stdout.startswith('mkosi-exec ')
    assert 'mkosi-manager' in rig.run(rig.programs / 'mkosi-exec', '--help').stdout
    assert rig.run(rig.programs / 'mkosi-exec', check=False).returncode == 1


def test_name_that_is_taken(rig):
    rig.transient('--unit=taken', '/bin/sleep', 'infinity')
    result = rig.transient('--unit=taken', '/bin/true', check=False)
    assert result.returncode == 1 and 'taken.service' in result.stderr
    rig.ctl('stop', 'taken')
    rig.transient('--wait', '--unit=taken', '/bin/true')


def test_dependency_that_fails(machine):
    """What never ran did not end well."""
    machine.unit('never.service', Type='oneshot', ExecStart='/bin/false')
    result = start(
        machine, '--wait', '-p', 'Requires=never.service', '-p', 'After=never.service', '/bin/touch', '/run/ran',
        check=False,
    )  # fmt: skip
    assert result.returncode != 0
    assert not machine.exists('/run/ran')


def test_many_without_a_manager(rig):
    """One behind the other, and beside each other: none of them is in the way of the next."""
    rig.kill_manager(signal.SIGTERM)
    run = f'{rig.programs}/mkosi-run --helper={rig.programs}/mkosi-exec -q'
    one = f'{run} --wait -p DynamicUser=yes /bin/true'
    rig.shell(f'for i in $(seq 25); do {one}; {one} & a=$!; {one} & b=$!; wait $a; wait $b; done')
    words = rig.shell(f'{run} --pipe echo a b | {run} --pipe -p DynamicUser=yes tr " " "\\n" | {run} --pipe sort -r')
    assert words.stdout == 'b\na\n'
    assert wait_for(lambda: not os.listdir(rig.path('/run/mkosi/units')), 'all to be forgotten')


@pytest.fixture
def common_manager(rig):
    """Starts a manager whose control groups are where those without a manager are."""
    started = []

    def make(*options):
        started.append(rig.popen(rig.programs / 'mkosi-manager', f'--helper={rig.programs / "mkosi-exec"}', *options,
                                 stderr=subprocess.PIPE))  # fmt: skip
        return started[-1]

    rig.kill_manager(signal.SIGTERM)
    yield make
    for manager in started:
        if manager.poll() is None:
            manager.terminate()
        manager.communicate()
    # Others may have something in there at the same time.
    for group in ('mkosi.slice/system.slice', 'mkosi.slice'):
        with contextlib.suppress(OSError):
            (rig.cgroup.parent / group).rmdir()


def test_manager_takes_over(rig, common_manager):
    """What runs without a manager, and without anybody who waits for it, is the manager's that is started then."""
    run = [rig.programs / 'mkosi-run', f'--helper={rig.programs / "mkosi-exec"}']
    name = f'taken-{rig.name}'
    # Whoever reads what the client says need not wait for the service.
    said = rig.shell(f'{run[0]} {run[1]} --unit={name} -p DynamicUser=yes -p RuntimeDirectory=taken -p Type=exec /bin/sleep 98765 2>&1')
    assert said.stdout == f'Running as unit: {name}.service\n'
    uid = rig.path('/run/taken').stat().st_uid
    alone = rig.ctl('status', name, check=False)
    assert alone.returncode == 1
    assert f'No manager runs, but {name}.service does, without one; mkosi-manager takes it over' in alone.stderr

    common_manager()
    wait_for(lambda: rig.run(rig.programs / 'mkosi-ctl', 'list-units', check=False).returncode == 0, 'the manager')
    assert rig.state(name) == 'active'
    assert rig.show(name, 'UID') == str(uid)
    pid = rig.main_pid(name)
    assert rig.path(f'/proc/{pid}/comm').read_text() == 'sleep\n'
    rig.ctl('stop', name)
    assert not rig.exists('/run/taken') and os.listdir(rig.path('/run/mkosi/dynamic-uid')) == []


def test_manager_does_not_take_what_somebody_waits_for(rig, common_manager):
    client = rig.popen(rig.programs / 'mkosi-run', f'--helper={rig.programs / "mkosi-exec"}', '--wait', '-q',
                       f'--unit=kept-{rig.name}', '/bin/sh', '-c', 'while [ ! -e /run/end ]; do sleep 0.1; done; exit 7')  # fmt: skip
    wait_for(lambda: rig.exists(f'/run/mkosi/units/kept-{rig.name}.service/state'), 'the service')
    manager = common_manager()
    assert manager.wait(60) == 1
    assert 'runs a service that it cannot hand over, since somebody waits for it' in manager.stderr.read()
    rig.write('/run/end', '')
    assert client.wait(60) == 7


def test_unit_that_another_one_runs(rig):
    """Without a manager as well, a unit is run once, and whoever has it is not disturbed."""
    rig.kill_manager(signal.SIGTERM)
    run = [rig.programs / 'mkosi-run', f'--helper={rig.programs / "mkosi-exec"}', '--wait', '--unit=lone']
    first = rig.popen(*run, '/bin/sleep', '98765')
    try:
        wait_for(lambda: sleepers(rig), 'the service')
        # By its file, and, for whoever has files elsewhere, by its control group.
        for options, text in (([], 'There is a unit lone.service already'),
                              (['--runtime-directory=/run/other'], 'runs a unit of this name already; say another one')):  # fmt: skip
            second = rig.run(*run, *options, '/bin/touch', '/run/ran', check=False)
            assert second.returncode != 0 and not rig.exists('/run/ran')
            assert text in second.stderr
            assert sleepers(rig)
    finally:
        first.terminate()
        first.wait()
    wait_for(lambda: not sleepers(rig), 'the end of the service')
