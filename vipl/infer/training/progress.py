"""Showing how far a fit has come: a bar in the terminal, or a widget in a notebook.

>>> from vipl.infer.training.progress import Progress
>>> with Progress(show=False, num_steps=100) as bar:
...     bar.advance(100, objective=-3.5)
"""

from __future__ import annotations

import importlib.util
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
            # Made for one process. The lock that tqdm makes for several of them starts another Python, and that takes
            # a core from the compiler.
            one_process = type("tqdm", (_kind(),), {"_lock": threading.RLock()})
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


def _kind() -> type:
    """Return the class of the bar; `tqdm.auto` would choose too, and warn where widgets are not installed."""
    if _in_notebook() and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm


def _in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook; IPython in a terminal has none."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
