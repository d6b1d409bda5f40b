"""Objectives: expectations of a model and a guide. Always maximised, always in nats.

Each is an ordinary `vipl.expectation`, a few lines over `simulate` and `log_density`; one of your own is as good. Give
it to `vipl.infer(model, guide, objective=objectives.elbo, …)`, or differentiate it in your own training loop.
"""

from typing import TYPE_CHECKING

from vipl._core.on_first_use import on_first_use
from vipl.objectives.elbo import elbo

if TYPE_CHECKING:
    from vipl.objectives.ais import ais
    from vipl.objectives.beta_elbo import beta_elbo
    from vipl.objectives.cubo import cubo
    from vipl.objectives.f_divergence import f_divergence
    from vipl.objectives.forward_kl import forward_kl
    from vipl.objectives.info_vae import info_vae
    from vipl.objectives.iwelbo import iwelbo
    from vipl.objectives.log_variance import log_variance
    from vipl.objectives.mmd import squared_mmd
    from vipl.objectives.path_elbo import path_elbo
    from vipl.objectives.renyi import renyi
    from vipl.objectives.sleep import sleep
    from vipl.objectives.symmetric_kl import symmetric_kl
    from vipl.objectives.tvo import tvo
    from vipl.objectives.vsmc import vsmc
    from vipl.objectives.wake import wake
    from vipl.objectives.wake_phases import wake_p, wake_q

__all__ = [
    "ais",
    "beta_elbo",
    "cubo",
    "elbo",
    "f_divergence",
    "forward_kl",
    "info_vae",
    "iwelbo",
    "log_variance",
    "path_elbo",
    "renyi",
    "sleep",
    "squared_mmd",
    "symmetric_kl",
    "tvo",
    "vsmc",
    "wake",
    "wake_p",
    "wake_q",
]

__getattr__ = on_first_use(
    globals(),
    {
        "ais": "vipl.objectives.ais",
        "beta_elbo": "vipl.objectives.beta_elbo",
        "cubo": "vipl.objectives.cubo",
        "f_divergence": "vipl.objectives.f_divergence",
        "forward_kl": "vipl.objectives.forward_kl",
        "info_vae": "vipl.objectives.info_vae",
        "iwelbo": "vipl.objectives.iwelbo",
        "log_variance": "vipl.objectives.log_variance",
        "squared_mmd": "vipl.objectives.mmd",
        "path_elbo": "vipl.objectives.path_elbo",
        "renyi": "vipl.objectives.renyi",
        "sleep": "vipl.objectives.sleep",
        "symmetric_kl": "vipl.objectives.symmetric_kl",
        "tvo": "vipl.objectives.tvo",
        "vsmc": "vipl.objectives.vsmc",
        "wake": "vipl.objectives.wake",
        "wake_p": "vipl.objectives.wake_phases",
        "wake_q": "vipl.objectives.wake_phases",
    },
)


def __dir__():
    return __all__
