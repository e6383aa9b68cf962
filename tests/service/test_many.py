# SPDX-License-Identifier: LGPL-2.1-or-later
"""A manager that has run many services is as it was: with a sanitizer in it (MKOSI_SERVICE_PROGRAMS names other programs), the
rig's end says whether anything was lost or misused; without one, memory and descriptors are counted."""

import json
import os
import subprocess
import sys

from rig import ROOT, wait_for

UNIT = '[Service]\nType=exec\nExecStart=/bin/sleep infinity\n'
DYNAMIC = ('[Service]\nType=oneshot\nDynamicUser=yes\nStateDirectory=many/%i\nRuntimeDirectory=many-%i\nPrivateTmp=yes\n'
           'CPUAccounting=yes\nExecStartPre=/bin/true\nExecStart=/bin/echo said\nExecStopPost=-/bin/false\n')  # fmt: skip
FAILING = '[Service]\nRestart=on-failure\nRestartSec=1ms\nStartLimitBurst=2\nExecStart=/bin/false\n'


def descriptors(rig):
    return len(os.listdir(f'/proc/{rig.manager_pid()}/fd'))


def heap(rig):
    """KiB that are the manager's alone."""
    lines = rig.path(f'/proc/{rig.manager_pid()}/smaps_rollup').read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith('Private_Dirty:'))


def units(prefix, n):
    return [f'{prefix}@{i}.service' for i in range(n)]


def one_round(rig, n):
    """Twice n units, n of them at the same time, with and without a dynamic user; a tenth that fails and is started again, and a
    tenth that is transient."""
    rig.ctl('start', *units('plain', n), seconds=600)
    rig.ctl('status', *units('plain', 3))
    rig.ctl('show', 'plain@1')
    rig.ctl('stop', *units('plain', n), seconds=600)
    rig.ctl('start', *units('dynamic', n), seconds=600)
    rig.ctl('start', *units('failing', n // 10), check=False, seconds=600)
    for unit in units('failing', n // 10):
        rig.wait_state(unit, 'failed')
    rig.ctl('daemon-reload')
    rig.ctl('reset-failed')
    rig.shell(f'for i in $(seq {n // 10}); do {rig.programs}/mkosi-run -q --wait -p DynamicUser=yes /bin/true; done')
    wait_for(lambda: not [path for path in rig.cgroup.iterdir() if path.is_dir()], 'all cgroups to go')


def test_manager_keeps_nothing(rig):
    """What is taken for a thousand units is given back: the next ones find room in it, and no descriptor stays open."""
    for name, text in (('plain', UNIT), ('dynamic', DYNAMIC), ('failing', FAILING)):
        rig.unit(f'{name}@.service', text)
    if 'asan' in rig.run('readelf', '--dyn-syms', '--wide', rig.programs / 'mkosi-manager').stdout:
        one_round(rig, 460)
        return
    one_round(rig, 230)
    before, open_before = heap(rig), descriptors(rig)
    one_round(rig, 230)
    # The connection of a client that has ended may be there for a moment.
    wait_for(lambda: descriptors(rig) <= open_before, 'descriptors to be closed')
    # A unit has 7 KiB: that none is kept is seen in spite of all that an allocator may keep. Smaller things are the sanitizer's.
    assert heap(rig) < before + 1024


def test_benchmark(rig):
    """The tool that times services finds something to say about each."""
    figures = rig.path('/run/figures')
    command = [sys.executable, ROOT / 'tools/bench-service', '--runs=2', '--units=10', f'--json={figures}']
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = json.loads(figures.read_text())
    assert {name: run['n'] for name, run in found['runs'].items()} == {'mkosi-run': 2, 'alone': 2}
    assert found['units']['mkosi-manager']['units'] == 10
    assert found['units']['mkosi-manager']['pss_kib'] > 0
