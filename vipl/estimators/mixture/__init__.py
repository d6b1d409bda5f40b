"""Estimators of mixtures: one choice of a component, and a draw of that."""
