"""The transformation: an objective program becomes an unbiased estimate of its value and gradient."""

from vipl.transform.expect import expect
from vipl.transform.expectation import Expectation, expectation
from vipl.transform.soundness.continuous import continuous

__all__ = ["Expectation", "continuous", "expect", "expectation"]
