"""Estimators that write the derivative of a distribution as a difference of distributions."""
