"""Objectives: expectations of a model and a guide. Always maximised, always in nats.

Each is an ordinary `vipl.expectation`, a few lines over `simulate` and `log_density`; one of your own is as good. Give
it to `vipl.infer(model, guide, objective=objectives.elbo, …)`, or differentiate it in your own training loop.
"""

from vipl.objectives.elbo import elbo
from vipl.objectives.iwelbo import iwelbo
from vipl.objectives.path_elbo import path_elbo
from vipl.objectives.renyi import renyi

__all__ = ["elbo", "iwelbo", "path_elbo", "renyi"]
