"""Families that draw all sites together: a bijective function, with parameters, of one vector of noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpyro.distributions import Distribution

from vipl.guides.coordinates import Coordinates, Frame
from vipl.guides.family import FamilyGuide, GuideFamily
from vipl.guides.joint import joint
from vipl.guides.prior_coordinates import in_model
from vipl.guides.rest import Rest
from vipl.lang.param import param
from vipl.lang.program import Program
from vipl.tracing.survey import Survey


@dataclasses.dataclass(frozen=True)
class Law:
    """The law of a vector of coordinates.

    Attributes:
        base: distribution of the noise, of event shape `(d,)`.
        push: function of the noise that returns the vector, and the log Jacobian determinant.
        pull: function of the vector that returns the noise, and the log Jacobian determinant of `push` there.
        estimator: of the noise's gradient, unless told otherwise.
    """

    base: Distribution
    push: Callable
    pull: Callable
    estimator: object = None


class JointFamily(GuideFamily):
    """Base of the families that draw all continuous sites together.

    To write one, subclass it as a frozen dataclass and define `initial`, where the params start, and `law`.
    """

    @property
    def name(self) -> str:
        """Address of the noise, and prefix of the params: `full_rank` of `FullRank`."""
        name = type(self).__name__
        return "".join("_" + c.lower() if c.isupper() else c for c in name).removeprefix("_")

    def initial(self, center: np.ndarray, in_frame: bool, coordinates: Coordinates, surveyed: Survey) -> dict:
        """Return where the params start, by name.

        Args:
            center: where the vector of coordinates should start, `(d,)`.
            in_frame: whether the posterior is about standard normal in the coordinates.
            coordinates: the sites that are drawn together.
            surveyed: the model.
        """
        raise NotImplementedError

    def law(self, params: dict, coordinates: Coordinates) -> Law:
        """Return the law of the vector of coordinates.

        Args:
            params: the params by name.
            coordinates: the sites that are drawn together.
        """
        raise NotImplementedError

    def placed(self, params: dict, coordinates: Coordinates, model: Program | None) -> Any:
        """Return the coordinates in their model."""
        del params
        return in_model(coordinates, model)

    def build(self, surveyed: Survey, frame: Frame | None = None) -> tuple[Program, dict]:
        """Return the guide program and its initial params."""
        latents, own = self.latents(surveyed), {}
        rest = Rest.of(latents)
        if latents.together.blocks:
            center = latents.start() if frame is None else np.zeros(latents.together.size, latents.together.dtype)
            start = self.initial(center, frame is not None, latents.together, surveyed)
            own = {f"{self.name}.{key}": value for key, value in start.items()}
        outlines = tuple((key, value.shape, value.dtype.name) for key, value in own.items())
        guide = JointGuide(self, latents.together, outlines, rest)
        return guide.in_context(frame=frame if own else None, model=surveyed.program), own | rest.initial()


@dataclasses.dataclass(frozen=True)
class JointGuide(FamilyGuide):
    """The function of such a guide program."""

    family: JointFamily
    coordinates: Coordinates
    outlines: tuple
    rest: Rest

    @property
    def __name__(self):
        return self.family.name

    @property
    def wants(self):
        """Coordinates that are relative to the prior take the model."""
        return ("frame", "model") if self.coordinates.by_prior else ("frame",)

    def __call__(self, frame: Frame | None = None, model: Program | None = None):
        """Sample every site."""
        if self.coordinates.blocks:
            prefix = f"{self.family.name}."
            params = {key.removeprefix(prefix): param(key, np.zeros(*outline)) for key, *outline in self.outlines}
            law = self.family.law(params, self.coordinates)
            coordinates = self.family.placed(params, self.coordinates, model)
            joint(coordinates, self.family.name, law.base, *_in_frame(law, frame), law.estimator)
        self.rest.sample()


def _in_frame(law: Law, frame: Frame | None) -> tuple[Callable, Callable]:
    if frame is None:
        return law.push, law.pull

    def push(noise):
        vector, log_jacobian = law.push(noise)
        return frame.place(vector), log_jacobian + frame.log_jacobian

    def pull(vector):
        noise, log_jacobian = law.pull(frame.find(vector))
        return noise, log_jacobian + frame.log_jacobian

    return push, pull
