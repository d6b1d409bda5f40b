"""`check_estimator`: a new estimator, put through the law in one call."""

from __future__ import annotations

import time
import traceback

import jax

from vipl._core.source import is_user_file
from vipl.estimators import Estimator
from vipl.testing.cell import Cell, run
from vipl.testing.report import Report, Row
from vipl.testing.served import check_is_estimator, contexts_for, families_for
from vipl.testing.verdict import BATCH, MOST_DRAWS, REFUSED, RIGHT, WRONG, Verdict


def check_estimator(
    estimator: Estimator,
    families=None,
    contexts=None,
    *,
    resolution: float = 0.1,
    key_seed: int = 0,
    raises: bool = True,
) -> Report:
    """Check that an estimator is unbiased, in value and gradient, wherever its choice stands; or refuses by name.

    Each cell is one family of distributions in one context. There the mean of its draws is compared with the exact
    value, gradient and, in the context `second_derivative`, Hessian: it is *right* within 3 standard errors, or within
    4.5 of ten times the draws; *refused*, if an error names the reason; *wrong*; or *not shown*, if the draws do not
    suffice to see a bias of the resolution. One key must give one result, and 64 keys several. A refusal is due where
    the lanes of a `jax.vmap` are mixed, unless the estimator is `single`; of a second derivative, if it is
    `first_order`; and where its `allows` says so. Runs in float64, a second or two for each cell.

    Args:
        estimator: an instance; best one of few values, since values of several choices multiply.
        families: names of `vipl.testing.FAMILIES`, or `Family` objects. None for every family that it does not refuse.
        contexts: names of `vipl.testing.CONTEXTS`, or `Context` objects. None for all.
        resolution: the bias that must be seen, as a fraction of each element of value, gradient and Hessian. The draws
            grow with its inverse square.
        key_seed: of the keys. The same seed gives the same draws.
        raises: whether to raise if a cell fails.

    Returns:
        A `Report`, with a row for each cell.

    Raises:
        AssertionError: a cell fails: it is wrong, or not shown, or refused where no refusal is due, or not refused
            where one is. The message lists these cells with what was measured.
        EstimatorError: it refuses every family, or is no estimator.
        ParameterError: there is no family or context of this name.

    Example:
        >>> from vipl import estimators, testing
        >>> report = testing.check_estimator(estimators.DisARM(), ["bernoulli"], ["scalar", "second_derivative"])
        >>> report.counts
        {'right': 1, 'refused': 1, 'not shown': 0, 'wrong': 0}
    """
    check_is_estimator(estimator)
    asked = contexts_for(contexts)
    with jax.enable_x64(True):
        served, refused = families_for(estimator, families)
        name = type(estimator).__name__
        cells = [Cell(name, estimator, family, context) for family in served for context in asked]
        rows = tuple(_row(cell, resolution, key_seed) for cell in cells)
    report = Report(repr(estimator), rows, refused)
    if raises:
        report.raise_for_failures()
    return report


def _row(cell: Cell, resolution, seed) -> Row:
    start = time.perf_counter()
    finer = max(1.0, 0.1 / resolution)
    batch, most_draws = BATCH if finer == 1.0 else 8 * BATCH, round(MOST_DRAWS * finer**2)
    try:
        verdict = run(cell, fraction=resolution, seed=seed, batch=batch, most_draws=most_draws)
    except Exception as error:  # a crash is a wrong answer
        verdict = Verdict(WRONG, f"{type(error).__name__}: {error}{_place(error)}")
    fine, detail = _judged(cell, verdict)
    seconds = time.perf_counter() - start
    return Row(cell.family.name, cell.context.name, verdict.word, detail, seconds, fine)


def _judged(cell: Cell, verdict: Verdict) -> tuple[bool, str]:
    """Return whether a verdict is the one that is due, and what to say of it."""
    due = cell.due_refusal
    if verdict.word != REFUSED:
        missing = f"; a refusal is due, {due}" if due is not None else ""
        return verdict.word == RIGHT and due is None, verdict.detail + missing
    if verdict.detail == due:
        return True, f"{verdict.detail}, as is due"
    if due is None and verdict.detail == "EstimatorError" and cell.disallowed():
        return True, f"{verdict.detail}, as `allows` says"
    return False, f"{verdict.detail}: {verdict.message}"


def _place(error) -> str:
    """Return the innermost line of the user's own code that an error went through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_user_file(f.filename)]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
