"""What is known of the sites of a staged program before it runs: constants of their distributions.

    known_support(located, program.stage())       # Interval(0.0, 1.0), or None

An array made inside of a program, `jnp.array([1.0, -2.0])`, is a tracer while Python runs and a constant of the
staged program, so parameters are looked at once more when staging is done.
"""

from __future__ import annotations

import jax

from vipl._core.compat import Literal, is_tracer
from vipl._core.interpreter import Located
from vipl._core.staging import Staged
from vipl.lang.parameter_checks import check_parameters
from vipl.lang.site import SampleStatement


class Unknown:
    """Stands for an array that is not known statically."""


def known_leaves(located: Located, staged: Staged) -> list:
    """Return the leaves of a site's distribution: arrays where known statically, else placeholders."""
    constants = dict(zip(staged.jaxpr.constvars, staged.consts, strict=True))
    leaves = [a.val if isinstance(a, Literal) else constants.get(a, Unknown()) for a in _atoms(located)]
    return [Unknown() if is_tracer(leaf) else leaf for leaf in leaves]


def known_support(located: Located, staged: Staged):
    """Return the support of a site, with `Unknown` for bounds that are, or None where nothing can be told."""
    leaves, supports = known_leaves(located, staged), []

    def note(unknown):
        filled = [unknown.pop(0) if isinstance(leaf, Unknown) else leaf for leaf in leaves]
        supports.append(located.statement.distribution(filled).support)

    shapes = [atom.aval for atom, leaf in zip(_atoms(located), leaves, strict=True) if isinstance(leaf, Unknown)]
    try:
        if shapes:  # many supports need the shapes of arrays only
            jax.eval_shape(note, [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in shapes])
        else:
            note([])
    except Exception:
        return None
    return jax.tree.map(lambda leaf: Unknown() if is_tracer(leaf) else leaf, supports[0])


def is_known(tree) -> bool:
    """Return whether every leaf of a pytree is known."""
    return not any(isinstance(leaf, Unknown) or is_tracer(leaf) for leaf in jax.tree.leaves(tree))


def check_known_parameters(staged: Staged) -> None:
    """Refuse constant parameters outside of their constraints.

    Raises:
        SupportError: there is one.
    """
    constants = set(staged.jaxpr.constvars)
    for located in staged.statements:
        statement = located.statement
        if isinstance(statement, SampleStatement) and any(
            isinstance(a, Literal) or a in constants for a in _atoms(located)
        ):
            distribution = statement.distribution(known_leaves(located, staged))
            check_parameters(distribution, known_support(located, staged), statement.address, statement)


def _atoms(located):
    return located.eqn.invars[: len(located.eqn.invars) - located.statement.observed]
