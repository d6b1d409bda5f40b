"""One cell judged, by its number, so that another process can do it."""

import time

import jax

from matrix.cells import cells, run
from matrix.judgement import REFUSED, RIGHT, WRONG


def judge(number: int) -> tuple[str, bool, str]:
    """Return a cell's verdict in a word, whether it is the one that is due, and the line to print."""
    cell, start = cells()[number], time.perf_counter()
    with jax.enable_x64(True):
        try:
            verdict = run(cell)
            word, detail = verdict.word, verdict.detail
        except Exception as error:  # a crash is a wrong answer
            word, detail = WRONG, f"{type(error).__name__}: {error}"
    fine = detail == cell.due_refusal if word == REFUSED else word == RIGHT and cell.due_refusal is None
    seconds = time.perf_counter() - start
    return word, fine, f"{'    ' if fine else 'BAD '}{word:9} {seconds:5.1f} s  {cell}  {detail}"
