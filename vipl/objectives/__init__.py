"""Objectives: expectations of a model and a guide. Always maximised, always in nats."""

from vipl.objectives.elbo import elbo

__all__ = ["elbo"]
