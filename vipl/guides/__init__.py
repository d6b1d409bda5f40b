"""Guides that vipl makes from a model: families of distributions over its latent sites."""

from vipl.guides.family import GuideFamily
from vipl.guides.mean_field import MeanField

__all__ = ["GuideFamily", "MeanField"]
