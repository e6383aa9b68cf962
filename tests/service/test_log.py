# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the log is asked for what is in it."""

import re
import subprocess

import pytest
from rig import wait_for

SAY = "/bin/sh -c 'echo \"<3>bad\"; echo fine; echo \"<4>odd\"'"


@pytest.fixture
def said(rig):
    rig.unit('say.service', Type='oneshot', ExecStart=SAY)
    rig.ctl('start', 'say')
    wait_for(lambda: 'odd' in rig.log('-u', 'say'), 'what was said')
    return rig


def test_priority_and_order(said):
    """-p and --priority are what is so important or more; -r is newest first, of the last ones too."""
    stdout = '_TRANSPORT=stdout'
    assert said.log('-p', 'err', stdout) == ['bad']
    assert said.log('--priority=4', stdout) == ['bad', 'odd']
    assert said.log('-r', stdout) == ['odd', 'fine', 'bad']
    assert said.log('-r', '-n', '2', stdout) == ['odd', 'fine']
    assert said.log('-n', '4000000000', '-b', stdout) == ['bad', 'fine', 'odd']
    assert said.log(stdout, '_BOOT_ID=none') == []
    for words in (['-p', 'loud'], ['--since=never'], ['-f', '-r']):
        answer = said.ctl('log', *words, check=False)
        assert answer.returncode == 1 and answer.stderr.startswith('mkosi-ctl: error: '), words


def test_times(said):
    """--since and --until, with both ends."""
    stamps = said.ctl('log', '-o', 'export', 'MESSAGE=fine').stdout
    usec = int(stamps.split('__REALTIME_TIMESTAMP=')[1].split()[0])
    at = f'@{usec // 1000000}.{usec % 1000000:06}'
    before, behind = (f'@{n // 1000000}.{n % 1000000:06}' for n in (usec - 1, usec + 1))
    assert 'fine' in said.log(f'--since={at}') and 'bad' not in said.log(f'--since={at}')
    assert 'fine' in said.log(f'--until={at}') and 'odd' not in said.log(f'--until={at}')
    assert 'fine' not in said.log(f'--since={behind}') + said.log(f'--until={before}')
    assert said.log('--since=1h ago') and said.log('--until=1h ago') == []


def test_follow(said):
    """What is said later comes as it is said; when nobody reads any more it ends."""
    command = [said.programs / 'mkosi-ctl', 'log', '-f', '-o', 'cat', '-u', 'say', '_TRANSPORT=stdout']
    with said.popen(*command, stdout=subprocess.PIPE) as program:
        assert [program.stdout.readline() for _ in range(3)] == ['bad\n', 'fine\n', 'odd\n']
        said.ctl('start', 'say')
        assert [program.stdout.readline() for _ in range(3)] == ['bad\n', 'fine\n', 'odd\n']
        program.stdout.close()
        wait_for(lambda: program.poll() is not None, 'the end of the follower')


def test_rate_limit(rig):
    """LogRateLimitBurst=: what is more is dropped until the interval is over, and its number told."""
    script = 'for i in 1 2 3 4 5; do echo early $i; done; sleep 1.5; echo late'
    rig.transient('--wait', '-q', '--unit=talks', '-p', 'LogRateLimitIntervalSec=1s', '-p', 'LogRateLimitBurst=2',
                  '/bin/sh', '-c', script)  # fmt: skip
    said = [line for line in rig.log('-u', 'talks') if re.match('early|late|Suppressed', line)]
    assert said == ['early 1', 'early 2', 'Suppressed 3 messages from talks.service', 'late']
    rig.transient('--wait', '-q', '--unit=ends', '-p', 'LogRateLimitBurst=1', '/bin/sh', '-c', 'seq 3')
    said = [line for line in rig.log('-u', 'ends') if re.match('[0-9]$|Suppressed', line)]
    assert said == ['1', 'Suppressed 2 messages from ends.service']
    assert rig.ctl('log', '-o', 'cat', 'MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e').stdout.count('Suppressed') == 2
