"""The transformation: an objective program becomes an unbiased estimate of its value and gradient."""

from vipl.transform.continuous import continuous
from vipl.transform.expect import expect
from vipl.transform.expectation import Expectation, expectation

__all__ = ["Expectation", "continuous", "expect", "expectation"]
