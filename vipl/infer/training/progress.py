"""Showing how far a fit has come."""

from __future__ import annotations

import sys
import threading


class Progress:
    """A progress bar, or nothing; a context manager.

    Args:
        show: whether to show anything.
        num_steps: the number of steps in all.
        done: how many of them an earlier run has made.
    """

    def __init__(self, show: bool, num_steps: int, done: int = 0):
        self._bar = None
        if show:
            from tqdm import tqdm

            # Made for one process. The lock that tqdm makes for several of them starts another Python, and that takes
            # a core from the compiler.
            one_process = type("tqdm", (tqdm,), {"_lock": threading.RLock()})
            options = {"desc": "infer", "unit": "step", "file": sys.stderr, "mininterval": 0.2}
            self._bar = one_process(total=num_steps, initial=done, **options)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()

    def advance(self, steps: int, objective: float) -> None:
        """Move on by some steps, with the mean objective over them."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"objective {objective:.4g}", refresh=False)
            self._bar.update(steps)
