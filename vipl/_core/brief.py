"""`brief_jit`: `jax.jit` for functions that run a few times only, and take longer to compile than to run.

LLVM's optimisation is most of the time of a compilation, and what it saves here is nothing to speak of: 500 draws of a
guide take 0.5 ms in place of 0.25, and 0.1 s to compile in place of 0.6. Such functions are called as they are, not
inside of another `jax.jit`, which takes no options for a part of it.

>>> from vipl._core.brief import brief_jit
>>> float(brief_jit(lambda x: 2 * x)(1.0))
2.0
"""

from __future__ import annotations

import functools

import jax

brief_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
