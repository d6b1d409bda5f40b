"""`Flow`: a normalising flow of all coordinates together."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Normal

from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.guides.family import check_count, check_positive
from vipl.guides.flows.from_flowjax import check_flow, initial_weights, push_and_pull
from vipl.guides.flows.layer import Layer
from vipl.guides.joint_family import JointFamily, Law
from vipl.guides.positive import softplus_inverse

KINDS = ("coupling", "autoregressive")


@dataclasses.dataclass(frozen=True)
class Flow(JointFamily):
    """A normalising flow: a standard normal, moved by layers of networks.

    It bends where `FullRank` is straight: scales that depend on other sites, skewed and banana-shaped posteriors.
    Prefer it where the k̂ of `FullRank` is bad and the posterior has one mode. It starts as a normal distribution in
    the coordinates that vipl finds, and has thousands of parameters.

    `"coupling"` moves in each layer one half of the coordinates by what the other half is; drawing and density cost the
    same. `"autoregressive"` moves each coordinate by all that come before it, and bends more with fewer layers; its
    density at values that it has not drawn itself takes d rounds for each layer. Cost of a step: O(d (d + width)) for
    each layer, more than that of the model.

    Attributes:
        kind: "coupling" or "autoregressive".
        num_layers: number of layers; every other one goes the other way round.
        width: number of hidden units of the network of each layer.
        num_bins: of the splines that bend each coordinate by itself; 0 for affine maps alone.
        flow: a function of the number of coordinates that returns a flow of flowjax, which is trained in place of the
            layers above. It must return the same flow each time, but for its weights.
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.
        noncentered: whether the coordinates of a site that is drawn around others are relative to these, as in
            `FullRank`.

    Params: `flow.loc` and `flow.scale`, `(d,)`, of the last, affine step, and the weights `flow.layer0.….`

    Requirements: continuous sites whose supports are known statically; finite discrete sites get a categorical factor,
    and sites in subsampled plates a normal of their own for each element.

    Raises:
        ParameterError: an option is none of these.
        MissingPackageError: `flow` is given, and flowjax is not installed: `pip install "vipl[flows]"`.

    Example:
        >>> from vipl import guides
        >>> guides.Flow("autoregressive", num_layers=2).kind
        'autoregressive'

    Source: Dinh, Sohl-Dickstein and Bengio 2017 (RealNVP), arXiv 1605.08803, eq. 7 and 8; Kingma et al. 2016 (IAF),
    NeurIPS, eq. 9 and 10; Durkan et al. 2019, NeurIPS, for the splines.
    """

    kind: str = "coupling"
    num_layers: int = 4
    width: int = 32
    num_bins: int = 0
    flow: Callable | None = None
    init_scale: float = 0.1
    noncentered: bool = False

    frame = "full"

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ParameterError(
                f"the kind of a flow is {self.kind!r}.", where=user_source(), fix=" or ".join(map(repr, KINDS))
            )
        check_count(num_layers=self.num_layers, width=self.width)
        check_count(0, num_bins=self.num_bins)
        check_positive(init_scale=self.init_scale)
        if self.flow is not None:
            check_flow(self.flow)

    def initial(self, center, in_frame, coordinates, surveyed):
        """Return where the params start."""
        del coordinates, surveyed
        scale = softplus_inverse(1.0 if in_frame else self.init_scale)
        start = {"loc": center, "scale": np.full_like(center, scale)}
        if self.flow is not None:
            return start | initial_weights(self.flow, len(center))
        for number, layer in enumerate(self._layers(len(center))):
            weights = layer.conditioner.initial(center.dtype)
            start |= {f"layer{number}.{name}": value for name, value in weights.items()}
        return start

    def law(self, params, coordinates):
        """Return the law of the flow."""
        del coordinates
        loc, scale = params["loc"], jax.nn.softplus(params["scale"])
        widening, steps = jnp.sum(jnp.log(scale)), self._steps(params, len(loc))

        def push(noise):
            vector, log_jacobian = noise, widening
            for step, _ in steps:
                vector, more = step(vector)
                log_jacobian += more
            return loc + scale * vector, log_jacobian

        def pull(vector):
            noise, log_jacobian = (vector - loc) / scale, widening
            for _, step in reversed(steps):
                noise, more = step(noise)
                log_jacobian += more
            return noise, log_jacobian

        return Law(Normal(jnp.zeros_like(loc), 1.0).to_event(1), push, pull)

    def _steps(self, params, size: int) -> list:
        """Return the two functions of each step."""
        if self.flow is not None:
            return [push_and_pull(self.flow, params, size)]
        weights = [_of(f"layer{number}.", params) for number in range(self.num_layers)]
        pairs = zip(self._layers(size), weights, strict=True)
        return [(functools.partial(layer.push, own), functools.partial(layer.pull, own)) for layer, own in pairs]

    def _layers(self, size: int) -> list[Layer]:
        groups = _halves if self.kind == "coupling" else _one_by_one
        return [Layer(groups(number, size), self.width, self.num_bins) for number in range(self.num_layers)]


def _of(prefix: str, params: dict) -> dict:
    return {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}


def _halves(number: int, size: int) -> tuple[int, ...]:
    order = np.arange(size) if number < 2 else np.random.default_rng(number // 2).permutation(size)
    return tuple(int(group) for group in (2 * order >= size) ^ (number % 2))


def _one_by_one(number: int, size: int) -> tuple[int, ...]:
    return tuple(range(size)[:: -1 if number % 2 else 1])
