"""Objectives that a public function makes: called and documented as it is."""

from __future__ import annotations

from vipl.transform.expectation import Expectation


def made_by(maker, objective, **flags) -> Expectation:
    """Return the expectation of an objective program, with its maker's name, for errors, and documentation.

    Args:
        maker: the public function.
        objective: a function of a model and a guide.
        **flags: as those of `Expectation`.
    """
    objective.__name__, objective.__doc__ = maker.__name__, maker.__doc__
    return Expectation(objective, **flags)
