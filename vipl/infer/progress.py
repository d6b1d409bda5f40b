"""Showing how far a fit has come."""

from __future__ import annotations

import sys


class Progress:
    """A progress bar, or nothing; a context manager.

    Args:
        show: whether to show anything.
        num_steps: the number of steps in all.
    """

    def __init__(self, show: bool, num_steps: int):
        self._bar = None
        if show:
            from tqdm import tqdm

            self._bar = tqdm(total=num_steps, desc="infer", unit="step", file=sys.stderr, mininterval=0.2)

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
