"""What a family of guides is: from a model, a program with parameters and where these start."""

from __future__ import annotations

import dataclasses

from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.guides.coordinates import Frame
from vipl.guides.latents import Latents, latents_of
from vipl.guides.prior_coordinates import around_others
from vipl.guides.rest import Rest
from vipl.lang.program import Program
from vipl.tracing.survey import Survey


class GuideFamily:
    """Base of the guide families: rules that make a guide for any model.

    A family is configuration only; it holds no arrays. To write one, subclass it as a frozen dataclass and define
    `build`, which looks at the latent sites of a model and returns a Program with `vipl.param` statements, and where
    these start.

    Attributes:
        frame: in what frame it likes to be trained: "diagonal", "full", or None for that of the values.
        noncentered: whether the coordinates of sites that are drawn around others are relative to those.

    Example:
        >>> from vipl import guides
        >>> isinstance(guides.MeanField(), guides.GuideFamily)
        True
    """

    frame: str | None = None

    noncentered: bool = False

    def latents(self, surveyed: Survey) -> Latents:
        """Sort the latent sites of a model, or refuse it."""
        by_prior = around_others(surveyed) if self.noncentered else ()
        return latents_of(surveyed, type(self).__name__, by_prior)

    def build(self, surveyed: Survey, frame: Frame | None = None) -> tuple[Program, dict]:
        """Return a guide for a model, and initial values of its params, unconstrained, by address.

        Args:
            surveyed: the model.
            frame: coordinates in which the posterior is about standard normal, if such are known.
        """
        raise NotImplementedError

    def settle(self, surveyed: Survey, frame: Frame, params: dict) -> tuple[Frame | None, dict]:
        """Return the frame and the params of a trained guide: those of the values themselves, where there are such."""
        del surveyed
        return frame, params

    def moments(self, surveyed: Survey, params: dict) -> dict | None:
        """Return mean and standard deviation of the unconstrained coordinates of each site, by address, flat.

        None where they have no formula; then draws tell, which takes longer to compile.
        """
        del surveyed, params
        return None

    def reframe(self, surveyed: Survey, params: dict) -> tuple[Frame | None, dict]:
        """Return a frame in which params stand for about a standard normal, if there is one, and the params in it.

        It undoes `settle`, for a training that goes on from given params.
        """
        del surveyed
        return None, params


class FamilyGuide:
    """Base of the functions of the guide programs that families make: frozen dataclasses.

    Attributes:
        wants: which arguments it takes by name: "frame", the coordinates in which it is trained; "model", the model.
        rest: the sites that the family does not draw together.
    """

    wants: tuple[str, ...] = ("frame",)
    rest: Rest = Rest((), ())

    def of_rows(self) -> FamilyGuide:
        """Return the function of a guide program whose params are those of the elements of a subsample alone."""
        return dataclasses.replace(self, rest=dataclasses.replace(self.rest, rows_given=True))  # pyright: ignore

    def in_context(self, **context) -> Program:
        """Return the guide program, given what there is of what it wants."""
        return Program(self, (), {name: context[name] for name in self.wants if context.get(name) is not None})


def check_positive(**values) -> None:
    """Refuse an option of a family that is not a positive number.

    Raises:
        ParameterError: one is not.
    """
    for name, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not value > 0:
            raise ParameterError(
                f"{name} is {value!r}; it must be a positive number.",
                where=user_source(),
                fix=f"{name}=0.1",
            )


def check_count(least: int = 1, **values) -> None:
    """Refuse an option of a family that is not an int, or less than `least`.

    Raises:
        ParameterError: one is not.
    """
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ParameterError(
                f"{name} is {value!r}; it must be an int, at least {least}.",
                where=user_source(),
                fix=f"{name}={max(least, 4)}",
            )
