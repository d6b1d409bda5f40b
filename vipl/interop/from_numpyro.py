"""`from_numpyro`: models and guides written for NumPyro, as programs of vipl.

program = vipl.from_numpyro(numpyro_model)
posterior = vipl.infer(program(data), key=jax.random.key(0))
"""

from __future__ import annotations

import functools

from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl.interop.numpyro import Translate
from vipl.lang import Program
from vipl.lang.program import ProgramFunction


def from_numpyro(model) -> ProgramFunction:
    """Turn a NumPyro model or guide into a program, used as one decorated with `vipl.program` is.

    Prefer it to rewriting where a model exists already and is trusted, and to compare vipl with NumPyro on the very
    same code. Prefer `vipl.program` for anything new: there, a site can name its `estimator` and hold a program, and
    the errors are vipl's alone.

    Sites keep their names and shapes, and the log density is NumPyro's own: `obs=`, plates and subsamples,
    `numpyro.factor`, `.mask(…)` and the handlers `scale`, `mask`, `condition`, `substitute`, `reparam`, `do`,
    `scope`, `lift` and `block` count as there. `scan` and `cond` of `numpyro.contrib.control_flow` become JAX's. What
    draws is vipl: a `seed` handler in the model has no effect on sites. A value that `substitute` gives a site counts
    as observed, and one that it gives a parameter is where that starts. A parameter that is a pytree becomes one for
    each array, `"name/…"`. `infer=` is not used: vipl's estimators are chosen by `with_estimators`, and discrete
    sites summed out by `vipl.marginal`.

    Args:
        model: a function of NumPyro's statements, or anything called like one, such as a handler around it or an
            `AutoNormal` guide that has seen its model once: `numpyro.handlers.seed(guide, 0)(data)`.

    Returns:
        A function of the same arguments that returns a `Program`.

    Raises:
        ProgramError: the argument is a program already, or no function; and, once a program runs, a statement
            that stands for nothing in vipl, by name: `numpyro.prng_key` outside of a parameter's start (also as
            `numpyro.module` and `block` call it), `mutable`, `obs_mask=`, the auxiliary site of a joint
            automatic guide.
        ShapeError: a plate of vipl around the model has the dimension of one of the model's.
        VIPLError: what vipl says of a site or parameter that it cannot have, as in any program.

    Example:
        >>> import jax, numpyro, vipl
        >>> import numpyro.distributions as dist
        >>> def coin(flips):
        ...     bias = numpyro.sample("bias", dist.Beta(1.0, 1.0))
        ...     with numpyro.plate("flip", len(flips)):
        ...         numpyro.sample("y", dist.Bernoulli(bias), obs=flips)
        >>> program = vipl.from_numpyro(coin)(jax.numpy.array([1, 1, 0]))
        >>> round(float(vipl.log_density(program, {"bias": 0.5})), 4)
        -2.0794
    """
    if isinstance(model, (Program, ProgramFunction)) or not callable(model):
        given = "a program of vipl already" if isinstance(model, (Program, ProgramFunction)) else repr(model)
        raise ProgramError(
            f"vipl.from_numpyro needs a function of NumPyro's statements and got {given}.",
            where=user_source(),
            fix="vipl.from_numpyro(model)(data): the function first, then its arguments",
        )

    def translated(*args, **kwargs):
        with Translate():
            return model(*args, **kwargs)

    functools.update_wrapper(translated, model, updated=())
    translated.__name__ = getattr(model, "__name__", type(model).__name__)
    return ProgramFunction(translated)
