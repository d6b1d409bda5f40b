"""A survey of a program's statements: which there are, by address, and whether they can live together.

The survey is static: it looks at the staged program and runs nothing.
"""

from __future__ import annotations

import dataclasses
import functools

from vipl._core.errors import AddressError, DensityError, ProgramError, ShapeError
from vipl._core.interpreter import Located
from vipl._core.staging import Staged
from vipl.lang.factor import DeterministicStatement, FactorStatement
from vipl.lang.param import ParamStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement


@dataclasses.dataclass(frozen=True)
class Survey:
    """The statements of a program.

    Attributes:
        program: the program.
        staged: its jaxpr.
    """

    program: Program
    staged: Staged

    @functools.cached_property
    def observations(self) -> dict:
        """Values observed with `condition`."""
        return self.program.observations

    @functools.cached_property
    def interventions(self) -> dict:
        """Values set with `do`."""
        return self.program.interventions

    def is_observed(self, located: Located) -> bool:
        """Return whether a site is observed, in the program or by `condition`."""
        return located.statement.observed or located.statement.address in self.observations

    def of_kind(self, kind) -> list[Located]:
        """List the statements of one kind, in program order; sites that `do` replaced are left out, and hidden ones."""
        return [
            located
            for located in self.staged.statements
            if isinstance(located.statement, kind)
            and not located.statement.hidden
            and located.statement.address not in self.interventions
        ]

    @functools.cached_property
    def auxiliaries(self) -> list[Located]:
        """Sites that are drawn to estimate a density, in program order."""
        return [
            located
            for located in self.staged.statements
            if isinstance(located.statement, SampleStatement)
            and located.statement.hidden
            and not located.statement.observed
            and all(part.drawn for part in located.statement.parts)
        ]

    @property
    def estimating(self) -> list[Located]:
        """Those of them that are drawn for the density of given values too."""
        needed = lambda statement: any(part.hidden and part.estimates for part in statement.parts)  # noqa: E731
        return [located for located in self.auxiliaries if needed(located.statement)]

    @property
    def random(self) -> list[Located]:
        """Everything that a run draws: latent sites, indices of subsampled plates, auxiliary sites."""
        groups = (*self.latents.values(), *self.indices.values())
        return [located for group in groups for located in group] + self.auxiliaries

    @functools.cached_property
    def latents(self) -> dict[str, list[Located]]:
        """Latent sites by address; several where exclusive branches share an address."""
        return _by_address(s for s in self.of_kind(SampleStatement) if not self.is_observed(s))

    @functools.cached_property
    def observed(self) -> dict[str, list[Located]]:
        """Observed sites by address."""
        return _by_address(s for s in self.of_kind(SampleStatement) if self.is_observed(s))

    @functools.cached_property
    def indices(self) -> dict[str, list[Located]]:
        """Subsampled plates by address, whose indices are not observed."""
        return _by_address(s for s in self.of_kind(IndicesStatement) if s.statement.address not in self.observations)

    @functools.cached_property
    def params(self) -> dict[str, list[Located]]:
        """Parameters by address."""
        return _by_address(self.of_kind(ParamStatement))

    @property
    def has_evidence(self) -> bool:
        """Whether anything is observed, or a factor speaks."""
        return bool(self.observed) or bool(self.of_kind(FactorStatement))


def survey(program: Program, varying: tuple[str, ...] = ()) -> Survey:
    """Stage a program and survey its statements.

    Args:
        program: the program.
        varying: mesh axes of a `jax.shard_map` along which its latent values differ.

    Raises:
        AddressError: an address is used twice.
        ShapeError: exclusive branches give one address different shapes.
        ProgramError: a statement is in the predicate of a while_loop.
    """
    staged = program.stage(varying)
    addressed = (SampleStatement, IndicesStatement, DeterministicStatement, FactorStatement, ParamStatement)
    seen: dict[str, list[Located]] = {}
    for located in staged.statements:
        if not isinstance(located.statement, addressed):
            continue
        if located.loop is not None and located.path[len(located.loop)] == 0:
            raise ProgramError(
                f"{located.statement.noun} {located.statement.address!r} is in the predicate of a while_loop.",
                where=located.statement,
                fix="draw in the body and carry the value to the predicate",
            )
        for other in seen.get(located.statement.address, ()):
            _check_together(other, located)
        seen.setdefault(located.statement.address, []).append(located)
    return Survey(program, staged)


def _check_together(first: Located, second: Located) -> None:
    address = second.statement.address
    if isinstance(second.statement, ParamStatement) and (first.statement.hidden or second.statement.hidden):
        return  # a copy of a program has the params of the program
    if not _exclusive(first, second):
        raise AddressError(
            f"address {address!r} is used twice.",
            where=f"{second.statement}; first at {first.statement.source}",
            fix=_another_address(address),
        )
    a, b = first.statement, second.statement
    if type(a) is not type(b) or first.full_shape != second.full_shape or a.dtype != b.dtype:
        raise ShapeError(
            f"two branches use address {address!r} for different things: {a.noun} of shape {first.full_shape} and "
            f"{a.dtype}, {b.noun} of shape {second.full_shape} and {b.dtype}.",
            where=f"{b}; first at {a.source}",
            fix="give the branches addresses of their own",
        )


def _another_address(address: str) -> str:
    prefix, _, name = address.rpartition("/")
    fix = f'another address for one of them, such as "{name}_2"; in a Python loop f"{name}_{{i}}", or a plate or '
    return fix + "jax.lax.scan in place of the loop" + (f'; or another prefix than "{prefix}"' if prefix else "")


def _exclusive(first: Located, second: Located) -> bool:
    return any(dict(first.branches).get(construct, index) != index for construct, index in second.branches)


def _by_address(located) -> dict[str, list[Located]]:
    found: dict[str, list[Located]] = {}
    for one in located:
        found.setdefault(one.statement.address, []).append(one)
    return found


def refuse_loops(surveyed: Survey, purpose: str) -> None:
    """Refuse a program with sites in a `while_loop`, whose number is not known."""
    for located in surveyed.of_kind((SampleStatement, FactorStatement)):
        if located.loop is not None:
            raise DensityError(
                f"{located.statement.noun} {located.statement.address!r} is inside a while_loop, which runs an unknown "
                f"number of times: {purpose} does not exist there.",
                where=located.statement,
                fix="jax.lax.scan or fori_loop with Python-int bounds; or observe nothing inside and only simulate",
            )
