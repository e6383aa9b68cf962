# SPDX-License-Identifier: LGPL-2.1-or-later
"""Units that would run with less than their files ask for: they are refused, and the line is named."""

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
