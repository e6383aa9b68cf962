# SPDX-License-Identifier: LGPL-2.1-or-later
"""What follows what: services whose processes end, stay or speak when nobody expects it."""

import os
import signal
from pathlib import Path

import pytest
from rig import wait_for

NOTIFY = """
import os, signal, socket, sys, time
def say(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
"""


def python(rig, name, script):
    """A program that can talk to the manager."""
    rig.write(f'/run/{name}.py', NOTIFY + script)
    return f'/usr/bin/python3 /run/{name}.py'


def pids(rig, unit):
    return rig.processes(f'system.slice/{unit}.service')


def log(rig, unit):
    return '\n'.join(rig.log('-u', unit))


def wait_state(rig, unit, *states):
    wait_for(lambda: rig.state(unit) in states, f'{unit} to be {states}, log:\n{log(rig, unit)}')


def is_alive(pid):
    """One that is gone may be seen until whoever is its parent by then has taken note."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize('main', ['exec sleep 601', 'trap "" TERM; sleep 601'], ids=['ends', 'is-deaf'])
def test_mixed_leaves_nobody(rig, main):
    """KillMode=mixed asks the main process alone; the others are killed when that has ended."""
    command = f"/bin/sh -c 'sleep 600 & {main}'"
    rig.unit('mixed.service', KillMode='mixed', TimeoutStopSec='200ms', ExecStart=command)
    rig.ctl('start', 'mixed')
    wait_for(lambda: len(pids(rig, 'mixed')) >= 2, 'two processes')
    before = pids(rig, 'mixed')
    rig.ctl('stop', 'mixed')
    assert not [pid for pid in before if is_alive(pid)]


def test_mixed_may_not_kill(rig):
    """SendSIGKILL=no holds for the others, too."""
    rig.unit('mild.service', KillMode='mixed', SendSIGKILL='no', ExecStart="/bin/sh -c 'sleep 600 & exec sleep 601'")
    rig.ctl('start', 'mild')
    wait_for(lambda: len(pids(rig, 'mild')) == 2, 'two processes')
    main = int(rig.show('mild', 'MainPID'))
    (other,) = set(pids(rig, 'mild')) - {main}
    rig.ctl('stop', 'mild')
    assert os.path.exists(f'/proc/{other}')
    assert rig.show('mild', 'MainPID') == '0'


@pytest.mark.parametrize(
    'settings',
    [{}, {'ExecStopPost': '/bin/true'}, {'ExecStart': "/bin/sh -c 'sleep 600 & exec sleep 601'"}],
    ids=['alone', 'stop-post', 'two-processes'],
)
def test_bound_units_go_down_along(rig, settings):
    """BindsTo= counts however many states the other one goes through."""
    rig.unit('base.service', **{'ExecStart': '/bin/sleep 600', **settings})
    rig.unit('bound.service', '[Unit]\nBindsTo=base.service\nAfter=base.service\n[Service]\nExecStart=/bin/sleep 600\n')
    rig.ctl('start', 'bound')
    rig.kill_main('base')
    wait_state(rig, 'bound', 'inactive')


ENDS = {
    'success': ("/bin/sh -c 'exit 0'", {}),
    'exit-code': ("/bin/sh -c 'exit 3'", {}),
    'signal': ("/bin/sh -c 'kill -KILL $$$$'", {}),
    'timeout': ('/bin/sleep 600', {'RuntimeMaxSec': '50ms'}),
    'watchdog': ('/bin/sleep 600', {'WatchdogSec': '50ms'}),
}
COMES_BACK = {
    'no': set(),
    'on-success': {'success'},
    'on-failure': {'exit-code', 'signal', 'timeout', 'watchdog'},
    'on-abnormal': {'signal', 'timeout', 'watchdog'},
    'on-abort': {'signal'},
    'on-watchdog': {'watchdog'},
    'always': set(ENDS),
}


@pytest.mark.parametrize('end', ENDS)
def test_after_which_ends_it_comes_back(rig, end):
    """The table of systemd.service(5), "Exit causes and the effect of the Restart= settings"."""
    command, settings = ENDS[end]
    for word in COMES_BACK:
        rig.unit(f'{word}.service', Restart=word, RestartSec='1h', ExecStart=command, **settings)
    rig.ctl('start', *COMES_BACK)
    for word, ends in COMES_BACK.items():
        wait_for(lambda word=word: rig.state(word) in ('inactive', 'failed', 'activating'), f'{word}.service')
        assert rig.show(word, 'Result') == end
        assert rig.show(word, 'SubState') == (
            'auto-restart' if end in ends else 'dead' if end == 'success' else 'failed'
        ), word


def test_who_was_left_is_nobody_of_the_next_run(rig):
    """The main process of a run before may end whenever it likes."""
    rig.unit('left.service', KillMode='none', ExecStart='/bin/sleep 600', ExecStartPost='-/bin/sleep 600')
    rig.ctl('start', '--no-block', 'left')
    wait_for(lambda: rig.show('left', 'SubState') == 'start-post', 'ExecStartPost=')
    old = int(rig.show('left', 'MainPID'))
    rig.ctl('stop', 'left')
    assert rig.show('left', 'MainPID') == '0'
    rig.ctl('start', '--no-block', 'left')
    wait_for(lambda: rig.show('left', 'SubState') == 'start-post', 'ExecStartPost=')
    rig.send(old, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f'/proc/{old}'), 'the end of the old one')
    rig.ctl('list-units')
    assert rig.show('left', 'SubState') == 'start-post'
    assert rig.show('left', 'MainPID') != '0'


def test_main_pid_is_for_those_that_run(rig):
    """What is left of a dead service cannot become its main process."""
    left = python(
        rig,
        'left',
        """
if os.fork() == 0:
    signal.signal(signal.SIGUSR1, lambda *_: (say("MAINPID=%d\\nEXTEND_TIMEOUT_USEC=1000000" % os.getpid()),
                                              open("/run/said", "w").close()))
    open("/run/child", "w").write(str(os.getpid()))
    while True:
        signal.pause()
while not os.path.exists("/run/child"):
    time.sleep(0.01)
""",
    )
    rig.unit('dead.service', KillMode='process', NotifyAccess='all', ExecStart=left)
    rig.ctl('start', 'dead')
    wait_state(rig, 'dead', 'inactive')
    rig.send(int(rig.path('/run/child').read_text()), signal.SIGUSR1)
    wait_for(lambda: rig.exists('/run/said'), 'the message')
    rig.ctl('list-units')
    assert rig.show('dead', 'MainPID', 'ActiveState') == {'MainPID': '0', 'ActiveState': 'inactive'}


def test_reloading_and_then_gone(rig):
    """RELOADING=1 has no command that would end: with the process all is over."""
    gone = python(rig, 'gone', 'say("READY=1"); say("RELOADING=1"); sys.exit(3)\n')
    rig.unit('gone.service', Type='notify', TimeoutStartSec='infinity', ExecStart=gone)
    rig.ctl('start', '--no-block', 'gone')
    wait_state(rig, 'gone', 'failed')
    assert rig.show('gone', 'Result') == 'exit-code'


def test_reload_of_what_goes_down_fails(rig):
    """Nobody waits for a reload that cannot come any more."""
    reloading = python(
        rig,
        'reloading',
        """
say("READY=1"); say("RELOADING=1")
while not os.path.exists("/run/go"):
    time.sleep(0.01)
""",
    )
    rig.unit('reloading.service', Type='notify', ExecStart=reloading, ExecReload='/bin/true')
    rig.ctl('start', 'reloading')
    wait_state(rig, 'reloading', 'reloading')
    client = rig.popen(rig.programs / 'mkosi-ctl', 'reload', 'reloading')
    rig.ctl('list-units')
    rig.write('/run/go', '')
    assert client.wait(timeout=60) != 0
    assert rig.state('reloading') == 'inactive'


def test_watchdog_is_fed_during_a_reload(rig):
    """It lives and says so, and is not killed for the command that takes its time."""
    fed = python(rig, 'fed', 'while True:\n    say("WATCHDOG=1")\n    time.sleep(0.05)\n')
    rig.unit('fed.service', WatchdogSec='4s', ExecStart=fed, ExecReload='/bin/sleep 6')
    rig.ctl('start', 'fed')
    rig.ctl('reload', 'fed')
    assert rig.show('fed', 'ActiveState', 'Result') == {'ActiveState': 'active', 'Result': 'success'}


def test_reloads_do_not_prolong_a_life(rig):
    """RuntimeMaxSec= is measured from when the service was started."""
    rig.unit('short.service', RuntimeMaxSec='2s', ExecStart='/bin/sleep 600', ExecReload='/bin/true')
    rig.ctl('start', 'short')
    reloads = 0
    while rig.ctl('reload', 'short', check=False).returncode == 0:
        reloads += 1
        assert reloads < 2000
        rig.run('sleep', '0.2')
    wait_state(rig, 'short', 'failed')
    assert reloads > 0
    assert rig.show('short', 'Result') == 'timeout'


def test_neither_do_reloads_after_a_crash(rig):
    """Nor does the next manager: it is still measured from when the service was started."""
    rig.unit('short.service', RuntimeMaxSec='3s', ExecStart='/bin/sleep 600', ExecReload='/bin/true')
    rig.ctl('start', 'short')
    start = int(rig.show('short', 'ExecMainStartTimestampMonotonic'))
    rig.run('sleep', '1.5')
    rig.kill_manager()
    rig.start_manager()
    rig.ctl('reload', 'short')
    wait_state(rig, 'short', 'failed')
    assert rig.show('short', 'Result') == 'timeout'
    # Measured anew, it would be 4.5 s at least.
    assert 3_000_000 <= int(rig.show('short', 'ExecMainExitTimestampMonotonic')) - start < 4_500_000


def test_restart_does_not_cancel_who_waits(rig):
    """A start that waits for another unit is the restart, when its time has come."""
    rig.unit('slow.service', Type='oneshot', ExecStart="/bin/sh -c 'while [ ! -e /run/go ]; do sleep 0.05; done'")
    rig.unit(
        'again.service',
        '[Unit]\nAfter=slow.service\n[Service]\nRestart=always\nRestartSec=300ms\n'
        "ExecStart=/bin/sh -c '[ -e /run/go ] && exec sleep 600; exit 1'\n",
    )
    rig.ctl('start', '--no-block', 'slow')
    wait_state(rig, 'slow', 'activating')
    first = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'again')
    rig.write('/run/go', '')
    assert first.wait(timeout=60) == 0
    wait_for(lambda: rig.path(f'/proc/{rig.main_pid("again")}/comm').read_text() == 'sleep\n', 'its program')
    # Now it dies, and while it waits to be restarted somebody asks for it, behind a unit that takes its time.
    rig.path('/run/go').unlink()
    rig.ctl('start', '--no-block', 'slow')
    wait_state(rig, 'slow', 'activating')
    rig.kill_main('again')
    wait_for(lambda: rig.show('again', 'SubState') == 'auto-restart', 'the pause before the restart')
    second = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'again', stderr=-1)
    rig.run('sleep', '0.6')
    rig.write('/run/go', '')
    assert second.wait(timeout=60) == 0, second.stderr.read()
    wait_state(rig, 'again', 'active')


LINGER = """
import socket, struct, os
listener = socket.create_server(("127.0.0.1", 0))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
    for _ in range(int(os.environ["N"])):
        link = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        link.setblocking(False)
        try:
            while True:
                link.send(bytes(65536))
        except BlockingIOError:
            pass
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
        rights = struct.pack("i", link.fileno())
        out.sendmsg([b"READY=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], 0, "/run/mkosi/notify")
        link.close()
        globals().setdefault("peers", []).append(peer)
open("/run/sent", "w").close()
import time
while not os.path.exists("/run/enough"):
    time.sleep(0.05)
"""


@pytest.mark.parametrize('number', [1, 8])
def test_descriptors_that_do_not_want_to_be_closed(rig, number):
    """Anybody may send them, with a close that takes an hour; the manager answers, and another one can take its place."""
    rig.write('/run/linger.py', LINGER)
    rig.path('/run').chmod(0o1777)
    # The last to close them is to be the manager.
    os.kill(rig.manager_pid(), signal.SIGSTOP)
    sender = rig.popen(
        *['setpriv', '--reuid=65534', '--clear-groups', 'env', f'N={number}', '/usr/bin/python3', '/run/linger.py'],
    )
    try:
        wait_for(lambda: rig.exists('/run/sent'), 'the descriptors to be sent')
        os.kill(rig.manager_pid(), signal.SIGCONT)
        rig.unit('lives.service', ExecStart='/bin/sleep 600')
        rig.ctl('start', 'lives')
        assert rig.state('lives') == 'active'
        rig.kill_manager()
        rig.start_manager()
        assert rig.state('lives') == 'active'
    finally:
        rig.write('/run/enough', '')
        assert sender.wait(timeout=60) == 0


def test_the_cleaner_keeps_nothing_of_the_manager(rig):
    """A manager that is killed while another process still removes what a service left can be replaced at once."""
    rig.unit(
        'much.service',
        RuntimeDirectory='much',
        ExecStart="/bin/sh -c 'cd /run/much && mkdir $(seq 400) && for i in *; do (cd $i && touch $(seq 200)); done;"
        " touch /run/full; exec sleep 600'",
    )
    rig.ctl('start', 'much')
    wait_for(lambda: rig.exists('/run/full'), 'the files')
    client = rig.popen(rig.programs / 'mkosi-ctl', 'stop', 'much', stderr=-3)

    def name(pid):
        try:
            return Path(f'/proc/{pid}/comm').read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None  # it has ended

    def cleaners():
        pid = rig.manager_pid()
        children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
        return [int(child) for child in children if name(child) == 'mkosi-clean']

    (cleaner,) = wait_for(cleaners, 'the cleaner')
    rig.send(cleaner, signal.SIGSTOP)
    links = [os.readlink(path) for path in Path(f'/proc/{cleaner}/fd').iterdir()]
    assert links and not [link for link in links if link.startswith('socket:')], links
    rig.kill_manager()
    rig.start_manager()
    rig.send(cleaner, signal.SIGCONT)
    client.wait(timeout=60)
    wait_for(lambda: rig.state('much') == 'inactive', 'the end')


def test_who_gives_signs_of_life(rig):
    """WATCHDOG_PID is the main process; other commands know nothing of the watchdog."""
    rig.unit(
        'alive.service', Type='exec', WatchdogSec='1min',
        ExecStartPre="/bin/sh -c 'echo pre:$WATCHDOG_PID:$WATCHDOG_USEC >/run/pre'",
        ExecStart="/bin/sh -c 'echo $WATCHDOG_PID:$WATCHDOG_USEC >/run/main; exec sleep infinity'",
    )  # fmt: skip
    rig.ctl('start', 'alive')
    answer = wait_for(lambda: rig.exists('/run/main') and rig.path('/run/main').read_text(), 'the answer')
    assert answer == f'{rig.main_pid("alive")}:60000000\n'
    assert rig.path('/run/pre').read_text() == 'pre::\n'


@pytest.mark.parametrize('section', ['Unit', 'Service'])
def test_start_limit_in_both_sections(rig, section):
    """The settings were in [Service] once, and are read there still."""
    text = f'[{section}]\nStartLimitInterval=1h\nStartLimitBurst=2\n[Service]\nType=oneshot\nExecStart=/bin/false\n'
    rig.unit('limit.service', text)
    assert rig.show('limit', 'StartLimitIntervalUSec', 'StartLimitBurst') == {
        'StartLimitIntervalUSec': '1h', 'StartLimitBurst': '2',
    }  # fmt: skip
    results = []
    for _ in range(3):
        assert rig.ctl('start', 'limit', check=False).returncode != 0
        results.append(rig.show('limit', 'Result'))
    assert results == ['exit-code', 'exit-code', 'start-limit-hit']
    assert not [line for line in rig.log() if 'nknown' in line]


def needs_reload(rig, unit='reload'):
    return rig.show(unit, 'NeedDaemonReload') == 'yes'


def test_drop_ins_that_come_and_go(rig):
    directories = ('/etc/systemd/system', '/run/systemd/system', '/etc/mkosi/system.control')
    rig.unit('reload.service', Type='exec', StartLimitInterval='0', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'reload')
    assert not needs_reload(rig)
    for directory in directories:
        for name in ('reload.service.d', 'service.d'):
            drop_in = f'{directory}/{name}/10.conf'
            rig.write(drop_in, '[Service]\nTasksMax=50\n')
            assert needs_reload(rig), drop_in
            rig.ctl('daemon-reload')
            assert not needs_reload(rig)
            rig.ctl('restart', 'reload')
            assert not needs_reload(rig)
            rig.path(drop_in).unlink()
            assert needs_reload(rig), drop_in
            rig.ctl('daemon-reload')
            rig.ctl('restart', 'reload')
            assert not needs_reload(rig)


def test_drop_ins_of_properties(rig):
    """What set-property writes is known, in whichever order, and hides nothing of what others have changed."""
    rig.unit('reload.service', Type='exec', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'reload')
    for option, value in (([], '5'), (['--runtime'], '6'), ([], '7'), ([], '')):
        rig.ctl('set-property', *option, 'reload', f'TasksMax={value}', 'CPUAccounting=yes')
        assert not needs_reload(rig)
    rig.write('/etc/systemd/system/reload.service.d/10.conf', '[Service]\nTasksMax=50\n')
    assert needs_reload(rig)
    rig.ctl('set-property', 'reload', 'TasksMax=8')
    assert needs_reload(rig)


def test_property_between_reload_and_restart(rig):
    """The files are still read when it is started again, with the change."""
    rig.unit('reload.service', Type='exec', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'reload')
    rig.unit('reload.service', Type='exec', Nice='5', ExecStart='/bin/sleep infinity')
    rig.ctl('daemon-reload')
    rig.ctl('set-property', 'reload', 'TasksMax=8')
    assert rig.show('reload', 'Nice', 'TasksMax', 'NeedDaemonReload') == {
        'Nice': '0', 'TasksMax': '8', 'NeedDaemonReload': 'no'
    }  # fmt: skip
    rig.ctl('restart', 'reload')
    assert rig.show('reload', 'Nice', 'TasksMax') == {'Nice': '5', 'TasksMax': '8'}


@pytest.mark.parametrize('name', ['reload.service', 'reload.service.d/10.conf'])
def test_files_with_an_older_time(rig, name):
    """As they come out of a package, or of cp -p: what was read is another file."""
    path = rig.path(f'/etc/systemd/system/{name}')
    rig.unit('reload.service', Type='exec', ExecStart='/bin/sleep infinity')
    rig.write('/etc/systemd/system/reload.service.d/10.conf', '[Service]\nTasksMax=50\n')
    rig.ctl('start', 'reload')
    assert not needs_reload(rig)
    os.utime(path, (1000, 1000))
    assert needs_reload(rig)
    rig.ctl('daemon-reload')
    rig.ctl('restart', 'reload')
    assert not needs_reload(rig)
    other = path.with_name('other')
    other.write_text(path.read_text())
    os.utime(other, (1000, 1000))
    other.rename(path)
    assert needs_reload(rig)


def test_reload_that_cannot_begin(rig):
    """No process can be made for it: it has failed, and the service runs on."""
    rig.unit('reload.service', Type='exec', ExecStart='/bin/sleep infinity', ExecReload='/bin/true')
    rig.ctl('start', 'reload')
    manager = rig.manager_pid()
    used = set(map(int, os.listdir(f'/proc/{manager}/fd')))
    free = next(number for number in range(1024) if number not in used)
    # There is one left for the client, and none for a process.
    rig.run('prlimit', f'--pid={manager}', f'--nofile={free + 1}:')
    answer = rig.ctl('reload', 'reload', check=False)
    rig.run('prlimit', f'--pid={manager}', '--nofile=1024:')
    assert answer.returncode == 1 and 'Job for reload.service failed' in answer.stderr
    assert rig.state('reload') == 'active'
    log = rig.log('-u', 'reload')
    assert 'Reload failed for reload.service.' in log
    assert any('Cannot run /bin/true' in line for line in log)
    rig.ctl('reload', 'reload')


LEAVES = """/bin/sh -c 'touch "$RUNTIME_DIRECTORY/old" /tmp/mine /var/tmp/mine; ipcmk -Q >/dev/null; sleep 1000 & exec sleep 1001'"""
PLACES = '/run/leaver /run/private/leaver /tmp/*leaver* /var/tmp/*leaver* /run/mkosi/dynamic-uid/* /run/mkosi/units/leaver.service'


def leavings(rig):
    queues = rig.run('cat', '/proc/sysvipc/msg').stdout.splitlines()[1:]
    return rig.shell(f'ls -d {PLACES} 2>/dev/null || true').stdout.split() + queues


def leavers(rig):
    """What its processes are, and which."""
    found = {}
    for pid in rig.processes('system.slice/leaver.service'):
        try:
            found[rig.path(f'/proc/{pid}/cmdline').read_text()] = pid
        except OSError:
            pass
    return found


def wait_for_leavers(rig):
    wait_for(lambda: sorted(leavers(rig)) == ['sleep\x001000\x00', 'sleep\x001001\x00'], 'both of its processes')


def end_of_leaver(rig):
    """Of what its end has left to itself."""
    wait_for(lambda: list(leavers(rig)) == ['sleep\x001000\x00'], 'the other one to go')
    rig.send(leavers(rig)['sleep\x001000\x00'], signal.SIGKILL)


@pytest.mark.parametrize('mode', ['plain', 'crash', 'failed'])
def test_what_was_left_behind_is_cleaned_up_after(rig, mode):
    """Directories, temporary files and objects in memory go with the last process, and the state stays as it was."""
    post = '/bin/false' if mode == 'failed' else '/bin/true'
    rig.unit(
        'leaver.service', KillMode='process', DynamicUser='yes', RuntimeDirectory='leaver', ExecStart=LEAVES, ExecStopPost=post
    )
    rig.ctl('start', 'leaver')
    wait_for_leavers(rig)
    rig.ctl('stop', 'leaver')
    # What has nothing but an end is forgotten, with the time of that.
    names = ['ActiveState', 'SubState', 'Result'] + (['InactiveEnterTimestamp'] if mode == 'failed' else [])
    before = rig.show('leaver', *names)
    assert before['ActiveState'] == ('failed' if mode == 'failed' else 'inactive')
    assert len(leavings(rig)) >= 7
    if mode == 'crash':
        rig.kill_manager()
        rig.start_manager()
    end_of_leaver(rig)
    wait_for(lambda: not (rig.cgroup / 'system.slice/leaver.service').exists(), 'the group to go')
    left = ['/run/mkosi/units/leaver.service'] if mode == 'failed' else []
    wait_for(lambda: leavings(rig) == left, 'all that was left to go')
    assert rig.show('leaver', *names) == before


def test_a_start_waits_for_what_is_removed(rig):
    """Nothing of the next run goes with what the last one has left, whether that is being removed or not begun with."""
    command = "/bin/sh -c 'touch /run/leaver/new /tmp/new; sleep 1000 & exec sleep 1001'"
    rig.unit('leaver.service', KillMode='process', DynamicUser='yes', RuntimeDirectory='leaver', ExecStart=command)
    for _ in range(4):
        rig.ctl('start', 'leaver')
        wait_for_leavers(rig)
        rig.shell('for i in $(seq 100); do mkdir /run/leaver/$i; touch /run/leaver/$i/$(seq -s " /run/leaver/$i/" 100); done')
        rig.ctl('stop', 'leaver')
        end_of_leaver(rig)
        rig.ctl('start', 'leaver')
        wait_for_leavers(rig)
        rig.ctl('list-units')
        assert rig.exists('/run/leaver/new') and rig.state('leaver') == 'active'
        pid = rig.main_pid('leaver')
        assert rig.exists(f'/proc/{pid}/root/tmp/new') or rig.run('ls', f'/proc/{pid}/root/tmp/new')
        rig.ctl('stop', 'leaver')
        end_of_leaver(rig)
        wait_for(lambda: not leavings(rig), 'all that was left to go')
