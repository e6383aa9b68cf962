# SPDX-License-Identifier: LGPL-2.1-or-later
"""Terminals of services, and the end of the manager: whoever shows one goes on."""

import signal
import termios

import pytest
from rig import wait_for
from test_run import Terminal


@pytest.fixture
def terminal(rig):
    rig.options = []
    terminals = []

    def make(*arguments):
        terminals.append(Terminal(rig, *arguments))
        return terminals[-1]

    yield make
    for one in terminals:
        one.close()


def holders(rig, unit):
    return rig.run('pgrep', '-f', f'unit={unit}', check=False).stdout


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_terminal_outlives_the_manager(rig, terminal, number):
    """What a client shows goes on being shown, and typed to, until the service has ended by itself."""
    command = 'echo ready; while read -r word && [ "$word" != end ]; do echo "<$word>"; done; seq 20000; echo bye'
    shell = terminal('-t', '--unit=shown', '/bin/sh', '-c', command)
    shell.expect('ready')
    rig.kill_manager(number)
    shell.expect(r'The manager is gone; shown\.service keeps its terminal, [^\r\n]*\n\r')
    shell.type('word\n')
    shell.expect('<word>')
    rig.start_manager()
    assert rig.state('shown') == 'active'
    shell.type('end\n')
    assert shell.wait() == 1
    assert shell.text.endswith('\r\n20000\r\nbye\r\n')
    assert termios.tcgetattr(shell.side) == shell.before
    rig.wait_state('shown', 'inactive')


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_terminal_let_go_of_outlives_the_manager(rig, terminal, number):
    """Before or after: what nobody sees is held as long as the service has it, and no longer."""
    command = 'echo ready; while [ ! -e /run/end ]; do date; sleep 0.1; done; tty >/run/ended'
    early, late = (terminal('-t', f'--unit={name}', '/bin/sh', '-c', command) for name in ('early', 'late'))
    for shell in (early, late):
        shell.expect('ready')
    early.type('\x1d\x1d\x1d')
    assert early.wait() == 0
    rig.kill_manager(number)
    late.expect('The manager is gone')
    late.type('\x1d\x1d\x1d')
    assert late.wait() == 0
    rig.start_manager()
    assert holders(rig, 'early') and holders(rig, 'late')
    assert rig.state('early') == rig.state('late') == 'active'
    rig.write('/run/end', '')
    for name in ('early', 'late'):
        rig.wait_state(name, 'inactive')
        wait_for(lambda: not holders(rig, name), f'the end of what held the terminal of {name}')
    assert rig.path('/run/ended').read_text() != 'not a tty\n'
