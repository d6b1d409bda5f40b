"""Judge the cells and print the counts; exit 1 if any is wrong, not shown, or refused without need."""

import collections
import sys
import time

import jax
from helpers import LONG

from matrix.cells import cells, run
from matrix.judgement import NOT_SHOWN, REFUSED, RIGHT, WRONG


def main(patterns) -> int:
    counts, bad = collections.Counter(), 0
    for cell in cells():
        if not all(p in str(cell) for p in patterns) or not (LONG or patterns or cell.usual):
            continue
        start = time.perf_counter()
        try:
            verdict = run(cell)
            word, detail = verdict.word, verdict.detail
        except Exception as error:  # a crash is a wrong answer
            word, detail = WRONG, f"{type(error).__name__}: {error}"
        counts[word] += 1
        fine = detail == cell.due_refusal if word == REFUSED else word == RIGHT and cell.due_refusal is None
        bad += not fine
        seconds = time.perf_counter() - start
        print(f"{'    ' if fine else 'BAD '}{word:9} {seconds:5.1f} s  {cell}  {detail}", flush=True)
    print(", ".join(f"{counts[word]} {word}" for word in (RIGHT, REFUSED, NOT_SHOWN, WRONG)))
    return 1 if bad else 0


if __name__ == "__main__":
    with jax.enable_x64(True):
        sys.exit(main(sys.argv[1:]))
