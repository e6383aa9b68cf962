# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of services where version 2 of control groups has the controllers, as nearly all hosts are: a kernel of Debian in a virtual
machine, since the kernel of this one may have them in version 1, or not at all."""

import subprocess

import boot
import conftest
import guest

PROGRAMS = ('cat', 'insmod', 'ls', 'mkdir', 'mount', 'grep', 'setfattr', 'sleep', 'true')
OURS = ('mkosi-ctl', 'mkosi-exec', 'mkosi-manager')

SCRIPT = """
C=/sys/fs/cgroup
U=/etc/systemd/system
fact() { echo "FACT $1=$2"; }
# What the manager says of a unit, in one line.
ask() { ctl show "$1" -p "$2"; }
wait_for() { i=0; until eval "$1"; do sleep 0.1; i=$((i + 1)); [ $i -lt 150 ] || { fact gave-up "$1"; break; }; done; }
ctl() { @mkosi-ctl@ "$@"; }
# In the group that is named first.
begin() {
        (echo 0 >"$C/$1/cgroup.procs" && exec @mkosi-manager@ --helper=@mkosi-exec@) &
        manager=$!
        wait_for 'ctl list-units >/dev/null 2>&1'
}
end() { kill $manager; wait $manager; }

mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p $U /var/lib /var/cache /var/log /var/tmp
mount -t cgroup2 cgroup2 $C
echo '+pids +memory' >$C/cgroup.subtree_control
mkdir $C/init $C/own $C/own/manager
echo 0 >$C/init/cgroup.procs
# As many as there may be.
echo 'i=1; while [ $i -lt 10 ]; do sleep 1000 & i=$((i + 1)); done; wait' >/forks
cat >$U/forks.service <<END
[Service]
Type=exec
TasksMax=10
MemoryAccounting=yes
ExecStart=/bin/sh /forks
ExecReload=/bin/sh -c "echo ran >/run/reloaded; @true@; echo more >>/run/reloaded"
ExecStop=/bin/sh -c "echo ran >/run/stopped"
END
cat >$U/plain.service <<END
[Service]
Type=exec
ExecStart=@sleep@ 1000
END

begin init
S=$C/mkosi.slice/system.slice
ctl start plain forks
wait_for 'grep -q ^10 $S/forks.service/pids.current'
fact max "$(cat $S/forks.service/pids.max)"
fact shown "$(ask forks TasksMax) $(ask forks TasksCurrent)"
fact memory "$(ask forks MemoryCurrent)"
fact status "$(ctl status forks | grep -c -e ' Tasks: 10 (limit: 10)' -e ' Memory: ')"
fact before "$(cat $S/plain.service/pids.max)"
ctl set-property plain TasksMax=7
fact later "$(cat $S/plain.service/pids.max)"
ctl set-property system.slice TasksMax=50
fact slice "$(cat $S/pids.max)"
ctl reload forks
fact reload "$? $(cat /run/reloaded)"
ctl stop forks
fact stop "$? $(cat /run/stopped) $(ask forks Result)"
ctl stop plain
end

# With the manager in what is delegated, units run, and there is no limit; beside it, there is.
setfattr -n trusted.delegate -v 1 $C/own
begin own
ctl start plain forks
fact inside "$(ask forks ActiveState) $(cat $C/own/cgroup.subtree_control) $(ls $C/own/system.slice/forks.service | grep -c pids.max)"
fact said "$(ctl log -u forks -o cat | grep -c 'DelegateSubgroup=manager')"
ctl stop plain forks
end
begin own/manager
ctl start forks
fact beside "$(cat $C/own/system.slice/forks.service/pids.max)"
ctl stop forks
fact end yes
"""


def test_version_2(foreign_tool, mkosi, tmp_path):
    script, programs = SCRIPT, [foreign_tool(name) for name in PROGRAMS]
    ours = [mkosi.with_name(name) for name in OURS]
    for name, path in zip((*PROGRAMS, *OURS), (*programs, *ours), strict=True):
        script = script.replace(f'@{name}@', str(path))
    initrd = guest.make_rich_initrd(tmp_path / 'initrd', script, [*programs, *ours], ())
    console = subprocess.run(
        [
            foreign_tool(boot.QEMU), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
            '-accel', 'tcg', '-cpu', 'max,-la57,-svm', '-smp', '1', '-m', '1024', '-serial', 'stdio',
            '-kernel', guest.kernel(), '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1 printk.time=0',
        ],
        capture_output=True, text=True, errors='replace', timeout=600, check=True, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    facts = conftest.facts(console.replace('\r', ''))
    memory = facts.pop('memory', '').removeprefix('MemoryCurrent=')
    assert facts == {
        'max': '10', 'shown': 'TasksMax=10 TasksCurrent=10', 'status': '2', 'before': 'max', 'later': '7', 'slice': '50',
        # Commands that tell a service something, or end it, are let in, but can do no more than the service.
        'reload': '1 ran', 'stop': '0 ran Result=success',
        'inside': 'ActiveState=active  0', 'said': '1', 'beside': '10', 'end': 'yes',
    }, console  # fmt: skip
    assert 100_000 < int(memory) < 100_000_000
