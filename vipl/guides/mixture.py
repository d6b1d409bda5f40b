"""`Mixture`: one of several normal distributions, by chance."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from numpyro.distributions import Categorical, MixtureSameFamily, MultivariateNormal, Normal

from vipl.guides.coordinates import Frame
from vipl.guides.family import check_count, check_positive
from vipl.guides.generic import generic
from vipl.guides.joint_family import JointFamily, Law
from vipl.guides.positive import lower_triangle, raw_triangle, softplus_inverse

_SHARE = 0.7  # of the spread of a mode: that of each of the components that it starts with, and of their means


@dataclasses.dataclass(frozen=True)
class Mixture(JointFamily):
    """A mixture of normal distributions of all unconstrained coordinates together.

    Prefer it for posteriors of several modes, which other families take one of, and for skewed or heavy-tailed ones of
    few coordinates. Paths from random points look for modes; each mode found starts with a component of its own, as far
    as there are so many, and further ones start beside. In the gradient the components are summed out, each weighted by
    its probability. Cost: a step evaluates the model once for each component.

    Attributes:
        num_components: number of components.
        full_rank: whether components have full covariances; else diagonal ones, in the coordinates that vipl finds.
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.
        noncentered: whether the coordinates of a site that is drawn around others are relative to these, as in
            `FullRank`.

    Params: `mixture.logits`, `(num_components,)`, `mixture.loc`, `(num_components, d)`, and `mixture.scale_tril`,
    `(num_components, d, d)`, of which the lower triangle counts and the softplus of the diagonal; or `mixture.scale`,
    `(num_components, d)`, whose softplus counts.

    Requirements: continuous sites whose supports are known statically; finite discrete sites get a categorical factor,
    and sites in subsampled plates a normal of their own for each element.

    Raises:
        ParameterError: `num_components` is not a positive integer, or `init_scale` is not positive.

    Example:
        >>> from vipl import guides
        >>> guides.Mixture(2).num_components
        2

    Source: Jaakkola and Jordan 1998, "Improving the mean field approximation via the use of mixture distributions";
    Roeder, Wu and Duvenaud 2017, arXiv 1703.09194, §4.1, for the gradient.
    """

    num_components: int = 4
    full_rank: bool = True
    init_scale: float = 0.1
    noncentered: bool = False

    frame = "modes"

    def __post_init__(self):
        check_count(num_components=self.num_components)
        check_positive(init_scale=self.init_scale)

    def initial(self, center, in_frame, coordinates, surveyed):
        """Return where the params start: components side by side."""
        del coordinates, surveyed
        scale = np.full_like(center, 1.0 if in_frame else self.init_scale)
        return self._around([(center, np.diag(scale) if self.full_rank else scale, 0.0)])

    def build(self, surveyed, frame=None):
        """Return the guide program and its initial params: components at the modes that are known."""
        program, params = super().build(surveyed, frame)
        if frame is not None and frame.modes:
            start = self._around([_in_frame(mode, frame) for mode in frame.modes])
            params |= {f"{self.name}.{key}": value for key, value in start.items()}
        return program, params

    def _around(self, modes) -> dict:
        """Return params of components around modes, `(mean, scale, log_evidence)` each, the best first."""
        numbers = np.arange(self.num_components) % len(modes)
        shared = np.bincount(numbers)[numbers]
        means, scales, evidence = (np.stack([mode[part] for mode in modes])[numbers] for part in range(3))
        share = np.where(shared > 1, _SHARE, 1.0).astype(means.dtype)[:, None]
        away = np.where(share < 1, share, 0) * generic(means.shape, means.dtype)
        logits = (evidence - np.log(shared)).astype(means.dtype)
        if scales.ndim == 2:
            raw = softplus_inverse(share * scales)
            return {"logits": logits, "loc": means + scales * away, "scale": raw}
        loc = means + np.einsum("kij,kj->ki", scales, away)
        if self.full_rank:
            raw = np.stack([raw_triangle(scale) for scale in share[..., None] * scales])
            return {"logits": logits, "loc": loc, "scale_tril": raw}
        conditional = 1 / np.sqrt(np.sum(np.linalg.inv(scales) ** 2, axis=1))
        return {"logits": logits, "loc": loc, "scale": softplus_inverse(share * conditional)}

    def law(self, params, coordinates):
        """Return the law of the mixture, which is that of its own draws."""
        del coordinates
        if self.full_rank:
            components = MultivariateNormal(params["loc"], scale_tril=jax.vmap(lower_triangle)(params["scale_tril"]))
        else:
            components = Normal(params["loc"], jax.nn.softplus(params["scale"])).to_event(1)

        def stay(vector):
            return vector, jnp.zeros((), vector.dtype)

        return Law(MixtureSameFamily(Categorical(logits=params["logits"]), components), stay, stay)

    def reframe(self, surveyed, params):
        """Return the frame of the mean of all components and the covariance within one, of full covariances."""
        del surveyed
        if not self.full_rank or f"{self.name}.loc" not in params:
            return None, params
        loc, scales = params[f"{self.name}.loc"], jax.vmap(lower_triangle)(params[f"{self.name}.scale_tril"])
        weights = jax.nn.softmax(params[f"{self.name}.logits"])
        frame = Frame(weights @ loc, jnp.linalg.cholesky(jnp.einsum("k,kil,kjl->ij", weights, scales, scales)))
        return frame, params | {
            f"{self.name}.loc": jax.vmap(frame.find)(loc),
            f"{self.name}.scale_tril": jax.vmap(
                lambda scale: raw_triangle(solve_triangular(frame.scale, scale, lower=True))
            )(scales),
        }

    def settle(self, surveyed, frame, params):
        """Return the params in the coordinates themselves, of full covariances."""
        del surveyed
        if not self.full_rank:
            return frame, params
        loc, raw = (np.asarray(params[f"{self.name}.{part}"]) for part in ("loc", "scale_tril"))
        return None, params | {
            f"{self.name}.loc": np.stack([frame.place(one) for one in loc]),
            f"{self.name}.scale_tril": np.stack([raw_triangle(frame.scale @ lower_triangle(one)) for one in raw]),
        }


def _in_frame(mode, frame: Frame):
    """Return mean and scale of a mode in the coordinates of a frame, and its log evidence."""
    mean = np.linalg.solve(frame.scale, mode.normal.mean - frame.center)
    scale = np.linalg.solve(frame.scale, mode.normal.scale)
    return mean.astype(frame.scale.dtype), scale.astype(frame.scale.dtype), mode.log_evidence
