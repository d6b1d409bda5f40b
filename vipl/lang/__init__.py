"""The language: what a user writes inside a program."""

from vipl.lang.conditioning import condition, do, with_params
from vipl.lang.factor import deterministic, factor
from vipl.lang.param import param
from vipl.lang.plate import plate
from vipl.lang.program import Program, ProgramFunction, program
from vipl.lang.sample import sample
from vipl.lang.scope import scope
from vipl.lang.vmap import vmap

__all__ = [
    "Program",
    "ProgramFunction",
    "condition",
    "deterministic",
    "do",
    "factor",
    "param",
    "plate",
    "program",
    "sample",
    "scope",
    "vmap",
    "with_params",
]
