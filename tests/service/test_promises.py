# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every promise of the posts that services were announced with has a test, and every test that says so is for one that is known.

A promise has a number, which its tests have in their names (test_du05_du07_…, also ranges: test_ip22_to_ip26_…) or at the beginning
of their first line (\"\"\"DU5, DU7: …\"\"\"). To print which tests are for which promise, run this file as a program."""

import ast
import re
from pathlib import Path

# In our words; the first part is the number.
PROMISES = """
DU1 a user exists from the start of its service to the end
DU2 its number is in 61184-65519, and nobody else's
DU3 ProtectSystem=strict and ProtectHome=read-only are implied
DU4 the kernel's file systems and temporary directories stay writable
DU5 PrivateTmp=yes is implied
DU6 RemoveIPC=yes is implied, for all kinds of objects
DU7 the implied settings can be had alone
DU8 nothing can be left elsewhere
DU9 runtime directories, which go with the service
DU10 state, cache and log directories, which stay
DU11 real directories without a dynamic user
DU12 a link, a boundary, and a directory behind it with one
DU13 they stay, with their owner
DU14 nobody of the host gets behind the boundary
DU15 inside, there are the service's own directories only
DU16 the rest of the tree looks as on the host
DU17 the tree is the new number's when that has changed
DU18 the number is the hash of the name, if it can be
DU19 the owner of an existing directory comes first
DU20 nothing is changed when the directory itself is right
DU21 caches and logs are like state
DU22 first example: ps and id know the name
DU23 the user has the name of the unit
DU24 second example: a shell on a terminal
DU25 third example: the next unit finds the file
DU26 nothing is left of a short job
DU27 nothing has to be prepared
DU28 as a part of a pipeline
DU29 instances have directories, and are enabled and started at once
DU30 instances have users of their own
DU32 "-" before a command makes a failure a success
DU33 empty /etc and /var are enough
DU34 the user database is not touched; names by the name service
DU35 "!": the program changes the user itself
DU36 numbers that others have are passed over
DU37 without a number left, the service fails
DU38 a name is made where the unit's is none
DU39 User= says the name
DU40 a static user of that name is taken
DU41 data move with the service between static and dynamic
DU42 user and group are a pair
DU43 the directory is shown with the new owner where that can be
IP10 a unit file alone is enough
IP21 the last three lines of the log
IP27 what --wait prints
IP28 nothing of what is not counted
IP29 a terminal with job control
IP30 three ^] leave the service
IP31 the summary on a terminal
IP32 times as people write them
IP54 CPU time in the record, the message and --wait
"""
# Announced too, and not done yet: sockets, and images as roots.
LATER = {'DU31', 'DU44'}
# Of those that a later part of the project is about, tests may speak of what of it is there.
NUMBER = re.compile(r'(DU|IP)0?(\d+)', re.IGNORECASE)


def numbers_of(text):
    found = [(kind.upper(), int(number)) for kind, number in NUMBER.findall(text)]
    if ' to ' in text.replace('_', ' ') and len(found) >= 2:
        found += [(found[0][0], n) for n in range(found[0][1], found[1][1] + 1)]
    return {f'{kind}{number}' for kind, number in found}


def find_tests():
    """Of names of tests, and the part of the first line of what they say that ends with a colon."""
    found = {}
    for path in sorted(Path(__file__).parent.glob('test_*.py')):
        for node in ast.parse(path.read_text(encoding='utf-8')).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith('test_'):
                continue
            said = re.match(r'([A-Z]{2}\d+[^:]*):', ast.get_docstring(node) or '')
            for number in numbers_of(node.name) | (numbers_of(said[1]) if said else set()):
                found.setdefault(number, []).append(f'{path.name}::{node.name}')
    return found


def promises():
    return dict(line.split(' ', 1) for line in PROMISES.strip().splitlines())


def test_every_promise_has_a_test():
    tests = find_tests()
    assert [number for number in promises() if number not in tests] == []


def test_numbers_are_those_of_promises():
    """A number that is none is a slip of the pen, and hides that another one is missing."""
    known = set(promises()) | LATER
    assert [number for number in find_tests() if number.startswith('DU') and number not in known] == []
    assert not LATER & set(promises())
    assert [number for number in promises() if number.startswith('DU')] == [
        f'DU{n}' for n in range(1, 44) if f'DU{n}' not in LATER
    ]


if __name__ == '__main__':
    for promise, what in promises().items():
        print(f'{promise:5}{what}')
        for test in find_tests().get(promise, ['(none)']):
            print(f'     {test}')
