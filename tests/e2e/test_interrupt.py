# SPDX-License-Identifier: LGPL-2.1-or-later
"""An interrupted build leaves nothing: no mount, no process, no half-written output under the final name.

What is built is the small distribution of aptrepo.py, with the real tools in the real sandbox."""

import os
import signal
import subprocess
import time
from pathlib import Path

import project as projects
import pytest

# A point is reached when the message was printed and, if one is named, the file is there in the workspace.
POINTS = [
    (projects.BOOTSTRAP, 'root/debootstrap'),
    (projects.PACKAGES, None),
    (projects.CLEAN, None),
    (projects.ASSEMBLE, 'raw'),
    (projects.PUBLISH, None),
]
END_SECONDS = 30
OLD_OUTPUT = b'the old output\n'


def mounts_below(directory):
    """Mounts of this directory or a directory below it, in any mount namespace of any process."""
    found = set()
    for table in Path('/proc').glob('[0-9]*/mountinfo'):
        try:
            lines = table.read_text(encoding='utf-8').splitlines()
        except OSError:
            continue
        found |= {line for line in lines if f' {directory}' in line}
    return found


def processes_of(session, directory):
    """Processes of the build's session, and those that have a root, directory or file there."""
    found = []
    for process in Path('/proc').glob('[0-9]*'):
        try:
            status = (process / 'stat').read_text(encoding='utf-8').rpartition(')')[2].split()
            if status[0] == 'Z':
                continue
            places = [os.readlink(process / name) for name in ('cwd', 'root', 'exe')]
            if int(status[3]) == session or any(place.startswith(str(directory)) for place in places):
                found.append(
                    (int(process.name), (process / 'cmdline').read_text(encoding='utf-8').replace('\0', ' '))
                )
        except (OSError, ValueError):
            continue
    return [entry for entry in found if entry[0] != os.getpid()]


def wait_until_gone(find):
    deadline = time.monotonic() + END_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.fixture
def project(mkosi, small_distribution, project_directory):
    """A project whose output is there already, from an earlier build as it were."""
    made = projects.Project(project_directory, mkosi, small_distribution.settings)
    (made.directory / 'image.raw').write_bytes(OLD_OUTPUT)
    return made


@pytest.fixture
def wrapper(small_distribution):
    return small_distribution.wrapper


@pytest.fixture
def interrupt(project, wrapper):
    """Starts a build, and sends the signal when it has come to the point."""

    def run(message, file, number):
        build = project.start('--force', wrapper=wrapper)
        try:
            build.wait_for(message)
            if file:
                [workspace] = project.workspaces
                build.wait_until((workspace / file).exists)
            build.kill(number)
            build.wait(END_SECONDS)
            assert wait_until_gone(lambda: processes_of(build.process.pid, project.directory)) == []
        finally:
            build.end()
        return build

    return run


def assert_is_image(path):
    said = subprocess.run(['sfdisk', '--verify', path], capture_output=True, text=True, check=True)
    assert 'No errors detected' in said.stdout


@pytest.mark.parametrize(
    'message, file', POINTS, ids=['bootstrap', 'packages', 'clean', 'assemble', 'publish']
)
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL], ids=['SIGINT', 'SIGKILL'])
def test_interrupted_build_leaves_nothing(project, interrupt, message, file, number):
    output = project.directory / 'image.raw'

    build = interrupt(message, file, number)

    # Having cleaned up, it ends as the signal would have ended it, so that shells stop as well. In the last
    # step it may be too late for that, or for the old output; the new one is whole then.
    if message == projects.PUBLISH:
        assert build.process.returncode in (0, -number), build.output
        if output.read_bytes()[: len(OLD_OUTPUT)] != OLD_OUTPUT:
            assert_is_image(output)
    else:
        assert build.process.returncode == -number, build.output
        assert output.read_bytes() == OLD_OUTPUT
    if number == signal.SIGINT:
        assert project.workspaces == []
    assert mounts_below(project.directory) == set()
    names = {path.name for path in project.directory.iterdir() if not path.name.startswith('.mkosi-')}
    assert names == {'mkosi.default', 'image.raw'}


def test_next_build_works_and_removes_what_was_left(project, wrapper, interrupt):
    interrupt(projects.BOOTSTRAP, 'root/debootstrap', signal.SIGKILL)
    [workspace] = project.workspaces
    (workspace / 'stale').write_text('left behind', encoding='utf-8')

    project.run('--force', wrapper=wrapper)

    assert project.workspaces == []
    assert_is_image(project.directory / 'image.raw')


def test_second_build_of_the_same_output_is_refused(project, wrapper):
    build = project.start('--force', wrapper=wrapper)
    try:
        build.wait_for(projects.BOOTSTRAP)
        refused = project.run('--force', status=1, wrapper=wrapper)
        assert str(build.process.pid) in refused.stderr
        build.kill(signal.SIGTERM)
        assert build.wait(END_SECONDS) == -signal.SIGTERM
    finally:
        build.end()
    assert project.workspaces == []
