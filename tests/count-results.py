#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the tests in a result file, meson's testlog.json or pytest's XML: prints "PASSED FAILED SKIPPED"."""

import json
import sys
import xml.etree.ElementTree
from collections import Counter


def meson_outcomes(path):
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            result = json.loads(line)['result']
            yield {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}.get(result, 'failed')


def pytest_outcomes(path):
    for case in xml.etree.ElementTree.parse(path).iter('testcase'):
        kinds = {child.tag for child in case}
        yield 'failed' if kinds & {'failure', 'error'} else 'skipped' if 'skipped' in kinds else 'passed'


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    path = arguments[0]
    count = Counter(meson_outcomes(path) if path.endswith('.json') else pytest_outcomes(path))
    print(count['passed'], count['failed'], count['skipped'])
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
