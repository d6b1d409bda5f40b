"""The proposal of an inference algorithm: a copy of the program, or a program of the user's, checked against it."""

from __future__ import annotations

import inspect

import jax

from vipl._core import ambient
from vipl._core.errors import AddressError, DensityError, ProgramError, ShapeError, SupportError, did_you_mean
from vipl._core.estimated_density import Body, body_of
from vipl._core.interpreter import interpret
from vipl._core.source import user_source
from vipl._core.staging import Staged
from vipl.distributions.support import describe_constraint, is_within
from vipl.lang.known import known_support
from vipl.lang.program import Program
from vipl.programs.staged import Relabel, as_body, evidence, is_param, latent_sites, stage_inside


def own_proposal(staged: Staged, rule, keep, into: str, drawn: bool = True) -> Body:
    """Return a copy of a program as the proposal of its latent sites, those kept observed.

    Args:
        staged: the program.
        rule: stands for the program with an estimated density.
        keep: names of the kept sites, whose values are the inputs of the copy.
        into: the scope that the copy goes to.
        drawn: whether it is ever drawn from; else it only weighs.
    """
    here, sites = ambient.current().scope, _by_address(staged)
    values = {here + name: _outline(sites[here + name]) for name in keep}
    return as_body(staged, Relabel(rule, here, lambda statement: True, into, drawn), values)


def users_proposal(proposal, staged: Staged, rule, keep, into: str, purpose: str) -> Body:
    """Return a user's proposal of a program's latent sites, those kept excepted.

    Args:
        proposal: a Program, or a function from the values of the kept sites to one; these are the inputs then.
        staged: the program.
        rule: stands for the program with an estimated density.
        keep: names of the kept sites.
        into: the scope that the proposal goes to.
        purpose: what is made of the program, for errors.

    Raises:
        ProgramError: it is neither.
        AddressError: it misses or repeats an address, or has one that is not to be proposed.
        ShapeError: a site has another shape.
        SupportError: a site's support does not cover that of the program's.
        DensityError: it observes.
    """
    here, sites = ambient.current().scope, _by_address(staged)

    def run(*inputs):
        given = isinstance(proposal, Program)
        program = proposal if given else proposal(_Kept(zip(keep, inputs, strict=True)))
        if not isinstance(program, Program):
            raise _no_program(program, purpose)
        proposed = stage_inside(program, f"the proposal of {purpose}")
        _check(proposed, program.name, staged, {here + name for name in keep}, purpose)
        handler = Relabel(rule, here, lambda statement: not is_param(statement), into)
        return interpret(proposed.jaxpr, proposed.consts, [], handler, {})[0]

    if isinstance(proposal, Program):
        return body_of(run)
    if not callable(proposal) or not _takes_one_argument(proposal):
        raise _no_program(proposal, purpose)
    return body_of(run, [_outline(sites[here + name]) for name in keep])


class _Kept(dict):
    """The values of the kept sites, by address, as a user's proposal gets them."""

    def __missing__(self, address):
        raise AddressError(
            f"the proposal asks for {address!r}, which is not kept." + did_you_mean(str(address), self),
            where=user_source(),
            fix="one of " + ", ".join(map(repr, self)) if self else "a Program: nothing is kept",
        )


def _takes_one_argument(function) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    return True


def _no_program(proposal, purpose) -> ProgramError:
    return ProgramError(
        f"{purpose} needs a program as proposal, or a function that returns one, and got {type(proposal).__name__}.",
        where=user_source(),
        fix="vipl.Importance(proposal(…), num_particles=10), or with lambda kept: proposal(kept['x'])",
    )


def _by_address(staged: Staged) -> dict:
    found: dict = {}
    for located in latent_sites(staged):
        found.setdefault(located.statement.address, []).append(located)
    return found


def _outline(group):
    return jax.ShapeDtypeStruct(group[0].full_shape, group[0].statement.dtype)


def _check(proposed: Staged, name: str, staged: Staged, kept: set, purpose: str) -> None:
    here = len(ambient.current().scope)
    needed = {a: g for a, g in _by_address(staged).items() if a not in kept}
    for located in evidence(proposed):
        raise DensityError(
            f"the proposal {name} observes {located.statement.address[here:]!r}: it is no distribution to draw from.",
            where=located.statement,
            fix="remove what it observes; or vipl.normalize it first",
        )
    sites: dict = {}
    for located in latent_sites(proposed):
        address = located.statement.address
        for other in sites.get(address, ()):
            if not any(dict(other.branches).get(at, index) != index for at, index in located.branches):
                raise AddressError(
                    f"the proposal {name} uses address {address[here:]!r} twice.",
                    where=f"{located.statement}; first at {other.statement.source}",
                    fix="one site for each address",
                )
        if address not in needed:
            raise AddressError(
                f"the proposal {name} samples {address[here:]!r}, which {purpose} does not ask of it."
                + did_you_mean(address[here:], [a[here:] for a in needed]),
                where=located.statement,
                fix="exactly the sites " + ", ".join(repr(a[here:]) for a in needed),
            )
        sites.setdefault(address, []).append(located)
    for address, group in needed.items():
        if address not in sites:
            raise AddressError(
                f"the proposal {name} misses {address[here:]!r}.",
                where=f"{group[0].statement}; proposal given at {user_source()}",
                fix=f"vipl.sample({address[here:]!r}, …) in the proposal; "
                "exactly the sites " + ", ".join(repr(a[here:]) for a in needed),
            )
        _check_site(address[here:], group, sites[address], (staged, proposed), name)


def _check_site(address, group, others, programs, name) -> None:
    located, other = group[0], others[0]
    if located.full_shape != other.full_shape:
        raise ShapeError(
            f"{address!r} has shape {other.full_shape} in the proposal {name} and {located.full_shape} in the program.",
            where=f"{other.statement}; {located.statement}",
            fix=f"a site of shape {located.full_shape}, plates included",
        )
    if len(group) > 1 or len(others) > 1:
        return
    outer, inner = (known_support(one, staged) for one, staged in zip((located, other), programs, strict=True))
    if outer is not None and inner is not None and is_within(outer, inner) is False:
        raise SupportError(
            f"{address!r} is drawn from {describe_constraint(inner)} by the proposal {name}, which does not cover "
            f"{describe_constraint(outer)}, the support in the program: what it never proposes would not be counted.",
            where=f"{other.statement}; {located.statement}",
            fix="a proposal on the same support",
        )
