"""The matrix of gradient estimators: estimator × distribution × context, each cell against an exact gradient.

PYTHONPATH=tests python -m matrix                 the cells of every commit's run
PYTHONPATH=tests VIPL_CELLS=few python -m matrix  those of them for the newest Python and JAX
PYTHONPATH=tests VIPL_LONG=1 python -m matrix     all of them, at five times the resolution
"""
