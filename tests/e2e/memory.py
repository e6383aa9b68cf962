# SPDX-License-Identifier: LGPL-2.1-or-later
"""What processes have in their memory while a script of a build stands still."""

import contextlib
from pathlib import Path

PIECE = 1024 * 1024
SIZE_MAX = 1024 * PIECE  # more is a sanitizer's own, and a table of nothing
WAITING = 'The script waits'

# Of the post-installation script, until proceed(). It starts nothing meanwhile.
SCRIPT = f'#!/bin/sh\nmkfifo /proceed\necho {WAITING}\nread -r nothing </proceed\nrm /proceed\n'


def proceed(workspace):
    (workspace / 'root/proceed').write_text('\n', encoding='utf-8')


def descendants(pid):
    """The process and all that came of it: pid → its name."""
    names, parents = {}, {}
    for path in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            name, rest = (path / 'stat').read_text(errors='replace').split('(', 1)[1].rsplit(')', 1)
            names[int(path.name)], parents[int(path.name)] = name, int(rest.split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: names[child] for child in found if child in names}


def holds_any(pid, parts):
    """Whether one of the parts is in the process's memory, as it stands or as the numbers of OpenSSL do, last byte first."""
    needles = [*parts, *(part[::-1] for part in parts)]
    overlap = max(len(needle) for needle in needles)
    with open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
        for line in Path(f'/proc/{pid}/maps').read_text(errors='replace').splitlines():
            span, mode = line.split()[:2]
            position, end = (int(number, 16) for number in span.split('-'))
            while 'w' in mode and end - position <= SIZE_MAX and position < end:
                memory.seek(position)
                piece = memory.read(min(PIECE, end - position))
                if any(needle in piece for needle in needles):
                    return True
                if len(piece) <= overlap:
                    break
                position += len(piece) - (overlap if position + len(piece) < end else 0)
    return False
