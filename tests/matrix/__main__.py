"""Judge the cells and print the counts; exit 1 if any is wrong, not shown, or refused without need.

    PYTHONPATH=tests python -m matrix [--jobs N] [PATTERN ...]

Without a pattern the usual cells are judged, or with `VIPL_LONG=1` all, at 2 % instead of 10 %, or with
`VIPL_CELLS=few` few; with patterns, of all cells those whose names contain every one. N processes share the cells,
taking one after the other.
"""

import argparse
import collections
import concurrent.futures
import multiprocessing
import sys

from matrix.cells import asked_for, cells
from matrix.judge import judge
from matrix.judgement import NOT_SHOWN, REFUSED, RIGHT, WRONG


def _verdicts(numbers, jobs):
    if jobs == 1:
        yield from map(judge, numbers)
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for done in concurrent.futures.as_completed([pool.submit(judge, number) for number in numbers]):
            yield done.result()


def main() -> int:
    """Judge the cells that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m matrix", description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    asked = {str(cell) for cell in asked_for()}
    numbers = [
        number
        for number, cell in enumerate(cells())
        if (all(p in str(cell) for p in given.patterns) if given.patterns else str(cell) in asked)
    ]
    counts, bad = collections.Counter(), 0
    for word, fine, line in _verdicts(numbers, given.jobs):
        counts[word] += 1
        bad += not fine
        print(line, flush=True)
    print(", ".join(f"{counts[word]} {word}" for word in (RIGHT, REFUSED, NOT_SHOWN, WRONG)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
