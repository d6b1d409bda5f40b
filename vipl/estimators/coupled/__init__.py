"""Estimators whose draws are made together, so that their errors cancel."""
