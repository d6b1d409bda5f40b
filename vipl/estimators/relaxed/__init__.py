"""Estimators that evaluate the costs between the points of a discrete support."""
