"""What a case is, and the small parameters that the cases share."""

import dataclasses
from collections.abc import Callable

import numpy as np

V = np.array
TWO = V([0.7, 1.6])
MATRIX = V([[1.0, 0.0], [0.4, 0.8]])
COVARIANCE = MATRIX @ MATRIX.T
SIMPLEX = V([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
BAD_MATRIX = V([[1.0, 2.0], [2.0, 1.0]])


@dataclasses.dataclass(frozen=True)
class Case:
    """One distribution.

    `build(*parameters)` makes it; `outside` is an event outside the support (None: all of the reals);
    `scipy` makes SciPy's version, elementwise over the batch; `samples` says whether it can be sampled,
    `differentiable` whether NumPyro's density has derivatives in the parameters.
    """

    build: Callable
    parameters: tuple = ()
    outside: object = None
    scipy: object = None
    samples: bool = True
    differentiable: bool = True

    def make(self):
        return self.build(*(np.asarray(p, np.result_type(float)) for p in self.parameters))
