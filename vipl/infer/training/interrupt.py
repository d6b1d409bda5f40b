"""Ctrl-C in training: it waits for the step that is being made, so that nothing is half done."""

from __future__ import annotations

import contextlib
import signal
import threading


class Interruptible:
    """A context manager in which Ctrl-C is noted, and raised when `check` is called; a second one is raised at once.

    Outside of the main thread, which alone gets signals, it does nothing.

    Attributes:
        at_once: whether there was a second one, in the middle of a step.
    """

    def __init__(self):
        self.at_once, self._asked, self._waiting, self._before = False, False, False, None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            if callable(self._before):
                signal.signal(signal.SIGINT, self._note)
            else:
                self._before = None
        return self

    def __exit__(self, *exception):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number, frame):
        asked, self._asked = self._asked, True
        if (asked or self._waiting) and callable(self._before):
            self.at_once = not self._waiting
            self._before(number, frame)

    @contextlib.contextmanager
    def waiting(self):
        """Return a context manager in which nothing is half done, so that Ctrl-C is not only noted but raised."""
        self._waiting = True
        try:
            self.check()
            yield
        finally:
            self._waiting = False

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            KeyboardInterrupt: there was a Ctrl-C.
        """
        if self._asked:
            raise KeyboardInterrupt
