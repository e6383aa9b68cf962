# SPDX-License-Identifier: LGPL-2.1-or-later
"""An interrupted build leaves nothing: no mount, no process, no half-written output under the final name."""

import os
import signal
import time
from pathlib import Path

import project as projects
import pytest

# A point is reached when the message was printed and, if one is named, the file is there in the workspace.
POINTS = [
    (projects.BOOTSTRAP, 'root/debootstrap'),
    (projects.PACKAGES, None),
    (projects.CLEAN, None),
    (projects.ASSEMBLE, 'disk'),
    (projects.PUBLISH, None),
]
END_SECONDS = 30


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


def interrupt(project, message, file, number):
    """Starts a build, and sends the signal at the point. Returns what it ended with."""
    build = project.start('--force')
    try:
        build.wait_for(message)
        if file:
            [workspace] = project.workspaces
            build.wait_until((workspace / file).exists)
        build.kill(number)
        status = build.wait(END_SECONDS)
        assert wait_until_gone(lambda: processes_of(build.process.pid, project.directory)) == []
    finally:
        build.end()
    return status, build


@pytest.fixture(scope='module')
def project(mkosi, debian_settings, image_directory):
    """A project whose output is there already, from an earlier build as it were."""
    made = projects.Project(image_directory / 'interrupt', mkosi, debian_settings)
    made.write('image.raw', 'the old output\n')
    return made


@pytest.mark.parametrize(
    'message, file', POINTS, ids=['bootstrap', 'packages', 'clean', 'assemble', 'publish']
)
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL], ids=['SIGINT', 'SIGKILL'])
def test_interrupted_build_leaves_nothing(project, message, file, number):
    before = mounts_below('/')
    output = project.directory / 'image.raw'

    status, build = interrupt(project, message, file, number)

    if status == 0:
        # Too late: the result was complete, and is then whole.
        assert message == projects.PUBLISH and output.stat().st_size > 100 << 20
        output.unlink()
        project.write('image.raw', 'the old output\n')
    else:
        # Having cleaned up, it ends as the signal would have ended it: shells and make stop as well.
        assert status == -number, build.output
        assert output.read_text(encoding='utf-8') == 'the old output\n'
        if number == signal.SIGINT:
            assert project.workspaces == []
    assert mounts_below(project.directory) == set()
    assert {line for line in mounts_below('/') - before if 'mkosi' in line} == set()
    assert {path.name for path in project.directory.iterdir() if not path.name.startswith('.mkosi-')} == {
        'mkosi.default',
        'image.raw',
    }


def test_next_build_works_and_removes_what_was_left(project):
    interrupt(project, projects.BOOTSTRAP, 'root/debootstrap', signal.SIGKILL)
    [workspace] = project.workspaces
    (workspace / 'stale').write_text('left behind', encoding='utf-8')

    project.run('--force')

    assert project.workspaces == []
    assert (project.directory / 'image.raw').stat().st_size > 100 << 20


def test_second_build_of_the_same_output_is_refused(project):
    build = project.start('--force')
    try:
        build.wait_for(projects.BOOTSTRAP)
        refused = project.run('--force', status=1)
        assert str(build.process.pid) in refused.stderr
        build.kill(signal.SIGTERM)
        assert build.wait(END_SECONDS) == -signal.SIGTERM
    finally:
        build.end()
    assert project.workspaces == []
