"""`Pathfinder`: a mixture of the best normal distributions that several optimisers pass on their way to a mode."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.guides.direct import DirectFamily, Solution
from vipl.guides.family import check_count
from vipl.guides.joint_family import JointFamily
from vipl.guides.mixture import Mixture
from vipl.guides.positive import raw_triangle
from vipl.guides.start.find import follow_all, random_of
from vipl.guides.start.modes import log_evidence
from vipl.guides.start.target import Target


@dataclasses.dataclass(frozen=True)
class Pathfinder(DirectFamily, JointFamily):
    """A mixture of normals, one for each path of L-BFGS from a random point: that of the best bound on the evidence.

    Found in seconds, without a stochastic gradient and without a matrix of second derivatives; each component counts by
    the evidence that it holds. Prefer it for a first look at a model, and as the proposal of
    `posterior.resample(key, 1000)`, which is the multi-path algorithm's last step. What `vipl.infer` trains other
    families in are coordinates that it finds this way, and then matches to the posterior's scores.

    Attributes:
        num_paths: number of paths, and of components.
        noncentered: whether the coordinates of a site that is drawn around others are relative to these, as in
            `FullRank`.

    Params: as of `Mixture`: `pathfinder.logits`, `pathfinder.loc` and `pathfinder.scale_tril`.

    Requirements: continuous sites, the whole data at once, at most 300 coordinates.

    Raises:
        ParameterError: `num_paths` is no positive integer.
        EstimatorError: when it is fitted, the log density is no function of the coordinates.

    Example:
        >>> from vipl import guides
        >>> guides.Pathfinder(num_paths=4)
        Pathfinder(num_paths=4, noncentered=False)

    Source: Zhang, Carpenter, Gelman and Vehtari 2022, JMLR 23(306), algorithms 1 and 2.
    """

    num_paths: int = 8
    noncentered: bool = False

    def __post_init__(self):
        check_count(num_paths=self.num_paths)

    def initial(self, center, in_frame, coordinates, surveyed):
        """Return params of the right shapes."""
        return self._mixture().initial(center, in_frame, coordinates, surveyed)

    def law(self, params, coordinates):
        """Return the law of the mixture."""
        return self._mixture().law(params, coordinates)

    def solve(self, surveyed, model, key, num_steps):
        """Follow the paths."""
        coordinates = self.whole(surveyed).together
        target, random = Target(model, coordinates), random_of(key)
        found = follow_all(target, coordinates.size, random, self.num_paths, num_steps)
        bounds, dtype = np.array([one.elbo for one in found]), coordinates.dtype
        if not found:
            return Solution({}, bounds, "not converged: the log density is not finite along any path")
        numbers = np.arange(self.num_paths) % len(found)  # a path that found nothing stands for another one
        evidence = np.array([log_evidence(target, one.normal, random) for one in found])
        scales = [raw_triangle(found[number].normal.scale.astype(dtype)) for number in numbers]
        params = {
            "pathfinder.logits": (evidence - np.log(np.bincount(numbers)))[numbers].astype(dtype),
            "pathfinder.loc": np.stack([found[number].normal.mean for number in numbers]).astype(dtype),
            "pathfinder.scale_tril": np.stack(scales),
        }
        return Solution(params, bounds)

    def _mixture(self) -> Mixture:
        return Mixture(self.num_paths, noncentered=self.noncentered)
