"""vipl: programmable variational inference for JAX.

A first program::

    import jax, vipl
    import vipl.distributions as dist

    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        with vipl.plate("data", y.shape[0]):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=y)

    posterior = vipl.infer(model(y), key=jax.random.key(0))

The folders, in the order in which data pass through them: `distributions`, `lang` (what a user writes), `tracing`
(what it means), `estimators` and `transform` (how an objective becomes a gradient), `programs` (marginals and
posteriors, whose densities are estimates), `objectives`, `guides`, `infer`, `interop` (other libraries).
"""

from typing import TYPE_CHECKING

from vipl import distributions, estimators, guides, objectives
from vipl._core.errors import (
    AddressError,
    BiasError,
    BiasWarning,
    CheckpointError,
    DensityError,
    EstimatorError,
    MissingPackageError,
    NonFiniteError,
    ParameterError,
    ProgramError,
    RandomnessError,
    ShapeError,
    SupportError,
    VIPLError,
    VIPLWarning,
)
from vipl._core.on_first_use import on_first_use
from vipl.infer.infer import infer
from vipl.lang import (
    Program,
    condition,
    deterministic,
    do,
    factor,
    param,
    plate,
    program,
    sample,
    scope,
    vmap,
    with_params,
)
from vipl.tracing import Trace, init_params, log_density, simulate
from vipl.transform import Expectation, continuous, expect, expectation

if TYPE_CHECKING:
    from vipl import testing
    from vipl.diagnostics.audit import audit
    from vipl.infer.calibration.sbc import sbc
    from vipl.infer.posterior import Posterior
    from vipl.infer.storage.loading import load_posterior
    from vipl.infer.training.lazy import lazy_rows
    from vipl.interop.from_numpyro import from_numpyro
    from vipl.interop.graph import model_graph
    from vipl.interop.log_density_fn import log_density_fn
    from vipl.programs import SMC, Exact, Importance, marginal, normalize

__version__ = "0.1.0"

__all__ = [
    "SMC",
    "Exact",
    "AddressError",
    "BiasError",
    "BiasWarning",
    "CheckpointError",
    "DensityError",
    "EstimatorError",
    "Expectation",
    "Importance",
    "MissingPackageError",
    "NonFiniteError",
    "ParameterError",
    "Posterior",
    "Program",
    "ProgramError",
    "RandomnessError",
    "ShapeError",
    "SupportError",
    "Trace",
    "VIPLError",
    "VIPLWarning",
    "audit",
    "condition",
    "continuous",
    "deterministic",
    "distributions",
    "do",
    "estimators",
    "expect",
    "expectation",
    "factor",
    "from_numpyro",
    "guides",
    "infer",
    "init_params",
    "lazy_rows",
    "load_posterior",
    "log_density",
    "log_density_fn",
    "marginal",
    "model_graph",
    "normalize",
    "objectives",
    "param",
    "plate",
    "program",
    "sample",
    "sbc",
    "scope",
    "simulate",
    "testing",
    "vmap",
    "with_params",
]

__getattr__ = on_first_use(
    globals(),
    {
        "Posterior": "vipl.infer.posterior",
        "Importance": "vipl.programs",
        "SMC": "vipl.programs",
        "Exact": "vipl.programs",
        "audit": "vipl.diagnostics.audit.audit",
        "sbc": "vipl.infer.calibration.sbc",
        "from_numpyro": "vipl.interop.from_numpyro",
        "lazy_rows": "vipl.infer.training.lazy",
        "load_posterior": "vipl.infer.storage.loading",
        "log_density_fn": "vipl.interop.log_density_fn",
        "model_graph": "vipl.interop.graph",
        "marginal": "vipl.programs",
        "normalize": "vipl.programs",
        "testing": "vipl.testing",
    },
)


def __dir__():
    return __all__
