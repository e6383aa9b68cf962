# SPDX-License-Identifier: LGPL-2.1-or-later
"""Units that would run with less than their files ask for: they are refused, and the line is named."""

import pytest
from rig import UNITS

SLEEP = '/bin/sleep infinity'


def refused(rig, verb, unit):
    answer = rig.ctl(verb, unit, check=False)
    assert answer.returncode != 0
    return answer.stderr


def test_section_that_is_not_closed(rig):
    """What stands in it would be lost."""
    rig.unit('open.service', f'[Service]\nExecStart={SLEEP}\n[Service\nProtectSystem=strict\n')
    message = refused(rig, 'start', 'open')
    assert f'{UNITS}/open.service:3: Not a section, which is written "[Name]": "[Service"' in message
    assert rig.show('open', 'LoadState', 'ActiveState') == {'LoadState': 'bad-setting', 'ActiveState': 'inactive'}


def test_section_of_a_drop_in_that_is_not_closed(rig):
    rig.unit('whole.service', ExecStart=SLEEP)
    rig.write(f'{UNITS}/whole.service.d/x.conf', '[Service\nProtectSystem=strict\n')
    assert f'{UNITS}/whole.service.d/x.conf:1: Not a section' in refused(rig, 'start', 'whole')


BROKEN = [
    (f'[Service]\nExecStart={SLEEP}\nProtectSystem=stricct\n', 'unit.service:3: ProtectSystem=stricct'),
    (f'[Service]\nExecStart={SLEEP}\nExecStart={SLEEP}\n', 'There is more than one ExecStart='),
    (f'[Service]\nExecStart={SLEEP}\nSlice=closed.slice\n', 'unit.service is in closed.slice'),
    ('', 'Unit unit.service is masked'),
    (None, 'Unit unit.service not found'),
]


@pytest.mark.parametrize('text, reason', BROKEN, ids=['setting', 'commands', 'slice', 'masked', 'missing'])
@pytest.mark.parametrize('verb', ['restart', 'try-restart'])
def test_restart_that_would_not_come_up(rig, verb, text, reason):
    """What runs is not taken down for it."""
    rig.write(f'{UNITS}/closed.slice', '[Slice]\nIPAddressDeny=any\n')
    rig.unit('unit.service', ExecStart=SLEEP)
    rig.ctl('start', 'unit')
    before = rig.main_pid('unit')
    if text is None:
        rig.path(f'{UNITS}/unit.service').unlink()
    else:
        rig.unit('unit.service', text)
    rig.ctl('daemon-reload')
    assert reason in refused(rig, verb, 'unit')
    assert rig.ctl('start', 'unit').returncode == 0  # there is nothing to be done
    assert (rig.state('unit'), rig.main_pid('unit')) == ('active', before)
    rig.unit('unit.service', ExecStart=SLEEP)
    rig.ctl('daemon-reload')
    rig.ctl(verb, 'unit')
    assert rig.state('unit') == 'active' and rig.main_pid('unit') != before


def test_restart_along_that_would_not_come_up(rig):
    """Nor what would be restarted with it."""
    rig.unit('first.service', ExecStart=SLEEP)
    rig.unit('behind.service', f'[Unit]\nRequires=first.service\nAfter=first.service\n[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', 'behind')
    before = rig.main_pid('first'), rig.main_pid('behind')
    rig.unit('behind.service', f'[Unit]\nRequires=first.service\n[Service]\nExecStart={SLEEP}\nPrivateTmp=perhaps\n')
    rig.ctl('daemon-reload')
    assert 'Unit behind.service has a bad setting' in refused(rig, 'restart', 'first')
    assert (rig.main_pid('first'), rig.main_pid('behind')) == before


CALLS = [
    ('~@nosuch', True),
    ('~mkdir @nosuch:EPERM', True),
    ('@system-service\nSystemCallFilter=~@nosuch', True),
    ('@system-service @nosuch', False),
    ('@system-service nosuch', False),
    ('~nosuch mkdir', False),
]


@pytest.mark.parametrize('calls, is_refused', CALLS, ids=[row[0].replace('\n', ' ') for row in CALLS])
def test_unknown_calls(rig, calls, is_refused):
    """A group that is denied has calls in it; all else that is not known is nothing that could be allowed or denied."""
    rig.unit('calls.service', f'[Service]\nType=oneshot\nExecStart=/bin/true\nSystemCallFilter={calls}\n')
    line = 4 + calls.count('\n')
    answer = rig.ctl('start', 'calls', check=False)
    if is_refused:
        assert f'{UNITS}/calls.service:{line}: SystemCallFilter=: no group of system calls "@nosuch"' in answer.stderr
        assert rig.show('calls', 'LoadState') == 'bad-setting'
    else:
        assert answer.returncode == 0
        assert [text for text in rig.log('-u', 'calls') if f'calls.service:{line}: ' in text and 'passed over' in text]
