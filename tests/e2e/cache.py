# SPDX-License-Identifier: LGPL-2.1-or-later
"""What costs much to make and is the same for each run: it is made once, by one of the processes that want it at the same time."""

import fcntl
import os
import tempfile
from pathlib import Path

import project as projects


def directory():
    return Path(os.environ.get('MKOSI_TEST_CACHE', projects.ROOT / 'build/test-cache')).absolute()


def kept(path, make):
    """The directory path; make(other directory) fills it when it is not there. It is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f'.{path.name}.lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path
        made = Path(tempfile.mkdtemp(prefix=f'.{path.name}-', dir=path.parent))
        made.chmod(0o755)
        try:
            make(made)
            made.rename(path)
        finally:
            projects.remove_tree(made)
    return path
