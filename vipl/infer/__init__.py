"""Fitting: `infer` and the `Posterior` it returns."""

from vipl.infer.infer import InferState, infer
from vipl.infer.posterior import Posterior
from vipl.infer.summary import Summary

__all__ = ["InferState", "Posterior", "Summary", "infer"]
