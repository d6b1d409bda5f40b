"""Provenance: which choices a value depends on, element by element. Static; nothing runs."""

from vipl.transform.provenance.alignment import JOINT, Along, Dependence
from vipl.transform.provenance.walk import propagate, propagate_equation

__all__ = ["JOINT", "Along", "Dependence", "propagate", "propagate_equation"]
