"""Fitting: `infer` and the `Posterior` it returns."""
