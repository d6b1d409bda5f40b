"""Estimators that differentiate through the draws."""
