"""What a fault is, what must happen, and the judgement of what did.

    @fault(10, "column of data at a row of means", Raises(vipl.ShapeError, "'y'", "(20, 1)", "reshape"))
    def column_of_data():
        ...
        vipl.sample("y", dist.Normal(mean, 1.0), obs=column)  # <- here

A fault is a small program of a user. Where an error is due, every line marked `# <- here` must be named in
its text, as `file:line`. Anything that vipl does not catch itself (another class, a silent result) fails.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import warnings
from collections.abc import Callable

import jax
import numpy as np

MARK = "# <- here"
FAULTS: list[Fault] = []


@dataclasses.dataclass(frozen=True)
class Fault:
    """One program that commits a fault; `row` is its number in the table of faults, variants have a letter.

    `places` are the marked lines.
    """

    row: str
    title: str
    run: Callable
    expect: Raises | Warns | Equals
    places: tuple[str, ...]

    def __str__(self):
        return f"{self.row}-{self.run.__module__.rpartition('.')[2]}-{self.run.__name__}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What happened: in one word, with which message, and what is wrong about it."""

    word: str
    message: str
    problems: list[str]


class Raises:
    """An error of exactly this class, whose text has the marked lines, a remedy and these fragments."""

    def __init__(self, error, *fragments):
        self.error, self.fragments = error, fragments

    def judge(self, fault, result, raised, warned) -> Outcome:
        if raised is None:
            return Outcome("silent", f"returned {_short(result)}", ["no error"])
        text, word = str(raised), type(raised).__name__
        problems = [] if type(raised) is self.error else [f"{word} is not {self.error.__name__}"]
        problems += _lacking(text, self.fragments, fault)
        problems += [] if getattr(raised, "fix", None) else ["no remedy"]
        problems += [f"warned: {w.message}" for w in warned]
        return Outcome(word, text, problems)


class Warns:
    """One warning of this class with the marked lines and these fragments, and the right value."""

    def __init__(self, category, *fragments, value=None):
        self.category, self.fragments, self.value = category, fragments, value

    def judge(self, fault, result, raised, warned) -> Outcome:
        if raised is not None:
            return Outcome(type(raised).__name__, str(raised), ["an error in place of a warning"])
        if len(warned) != 1:
            return Outcome("silent", f"returned {_short(result)}", [f"{len(warned)} warnings, not one"])
        text = str(warned[0].message)
        word, problems = warned[0].category.__name__, _lacking(text, self.fragments, fault)
        problems += [] if warned[0].category is self.category else [f"{word} is not {self.category.__name__}"]
        problems += _differences(result, self.value) if self.value is not None else []
        return Outcome(word, text, problems)


class Equals:
    """It works: no error, no warning, and this value."""

    def __init__(self, value, *, tolerance=1e-5):
        self.value, self.tolerance = value, tolerance

    def judge(self, fault, result, raised, warned) -> Outcome:
        if raised is not None:
            return Outcome(type(raised).__name__, str(raised), ["an error in place of a result"])
        problems = _differences(result, self.value, self.tolerance)
        problems += [f"warned: {w.message}" for w in warned]
        return Outcome("works", f"returned {_short(result)}", problems)


def fault(row, title, expect):
    """Enter a program in the registry."""

    def enter(run):
        FAULTS.append(Fault(str(row), title, run, expect, _marked_lines(run)))
        return run

    return enter


def _marked_lines(run) -> tuple[str, ...]:
    """Return the marked lines, as `file:line`; none for a fault that has no one line."""
    lines, first = inspect.getsourcelines(run)
    marked = [first + i for i, line in enumerate(lines) if line.rstrip().endswith(MARK)]
    return tuple(f"{run.__code__.co_filename}:{line}" for line in marked)


def commit(fault: Fault) -> Outcome:
    """Commit a fault and judge what happens."""
    result, raised = None, None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            result = jax.block_until_ready(fault.run())
        except Exception as error:  # whatever comes is judged
            raised = error
    return fault.expect.judge(fault, result, raised, warned)


def _lacking(text, fragments, fault) -> list[str]:
    return [f"the text lacks {f!r}" for f in (*fragments, *fault.places) if f not in text]


def _differences(result, expected, tolerance=1e-5) -> list[str]:
    try:
        jax.tree.map(functools.partial(_compare, tolerance), expected, result)
    except (AssertionError, ValueError, TypeError) as error:
        return [f"the value is wrong: {' '.join(str(error).split())[:300]}"]
    return []


def _compare(tolerance, expected, got):
    if isinstance(expected, str):
        assert got == expected, f"{got!r} is not {expected!r}"
    else:
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def _short(value) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "…"
