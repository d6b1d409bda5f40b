"""What vipl says when something is wrong: every error names what, where and the fix.

All errors derive from `VIPLError`, so `except vipl.VIPLError` catches them all. Each message has
three parts, built here so that they always look alike::

    AddressError: 'mu' is sampled twice.
      where: site 'mu', model.py:12 in eight_schools
      fix: give each site its own address, for example vipl.sample("mu_2", ...)
"""

from __future__ import annotations

from typing import Any


class VIPLError(Exception):
    """Base class of every error that vipl raises for a user's mistake.

    Args:
        what: one sentence that says what is wrong.
        where: the address and the user's own line, as `describe` of a site gives it.
        fix: the correction, with code where that helps.
    """

    def __init__(self, what: str, *, where: object = None, fix: str | None = None):
        parts = [what]
        if where is not None:
            parts.append(f"  where: {where}")
        if fix is not None:
            parts.append(f"  fix: {fix}")
        super().__init__("\n".join(parts))
        self.what, self.where, self.fix = what, where, fix


class AddressError(VIPLError):
    """An address is duplicate, missing, unexpected or misspelt.

    Causes: two sites of one name; a guide whose sites are not the model's latent sites; a condition on a name
    that the program does not have; a model without any observed site. Cure: the message names the closest known
    address.
    """


class SupportError(VIPLError):
    """A value or a parameter lies outside the set where it must lie.

    Causes: NaN or impossible data; a negative scale; a guide whose draws reach beyond the model's support.
    Cure: the message names the first bad index, and the set.
    """


class ShapeError(VIPLError):
    """A shape does not fit: a value and its site, a plate and its batch, two programs.

    Causes: data that would broadcast against the site instead of matching it; a plate of another size. Cure: a
    plate, an index, a reshape, or `.to_event`, as the message says.
    """


class EstimatorError(VIPLError):
    """An estimator cannot serve a site.

    Causes: `Reparam` for a discrete site; `Enumerate` for an infinite support, or for too many combinations; a
    second derivative of a first-order estimator. Cure: another estimator for that address.
    """


class RandomnessError(VIPLError):
    """A key is missing, of the wrong kind, or given where none belongs; or lanes would share one draw.

    Causes: `simulate` without a key; an int for a key; `jax.vmap` over a site that nothing tells apart. Cure:
    `jax.random.key(0)`; `vipl.vmap`.
    """


class BiasError(VIPLError):
    """A gradient would be silently wrong.

    Cause, with `strict=True`: a reparameterised value reaches the objective through a comparison, a rounding or
    a branch. Cure: `ScoreFunction` for that site, or `vipl.continuous` around a function whose pieces meet.
    """


class ProgramError(VIPLError):
    """A program uses a statement where it has no meaning, or branches in Python on a sampled value.

    Causes: `vipl.sample` outside of a program; `if` on a sampled value; a program that was not called with its
    arguments. Cure: `jax.lax.cond`; `model(data)`.
    """


class DensityError(VIPLError):
    """A density was asked for that does not exist or cannot be computed.

    Cause: sites inside `jax.lax.while_loop`, which runs an unknown number of times. Cure: `jax.lax.scan`, or
    `fori_loop` with Python-int bounds.
    """


class ParameterError(VIPLError):
    """A learnable parameter, an initial value or an option is missing, unexpected, or of the wrong kind.

    Causes: integers to be learned; a start outside of the constraint; parameters of another guide. Cure: the
    message names the parameter and what was expected.
    """


class NonFiniteError(VIPLError):
    """Training met a value that is not finite.

    The message names the step and the site whose term broke first. Causes: a scale that went negative; a
    learning rate far too large; NaN in a covariate. Cure: a constrained parameter; a smaller rate; clean data.

    Attributes:
        posterior: what was learned before, where `vipl.infer` raised it.
    """

    posterior: Any = None


class CheckpointError(VIPLError):
    """A file cannot be written or read, or holds something other than what is asked of it.

    Causes: a path that does not exist; a file that was damaged, or that vipl did not write; a posterior of another
    model or guide; training state of another optimiser. Cure: the message names the file and the first difference.
    """


class MissingPackageError(VIPLError, ImportError):
    """A package is not installed that a function needs and vipl does without.

    Causes: figures need matplotlib, `Posterior.to_datatree` needs ArviZ, and neither comes with `pip install vipl`.
    Cure: the message has the line for pip.
    """


class VIPLWarning(UserWarning):
    """Base class of vipl's warnings.

    Raised for what is probably a mistake and can go on all the same, such as float64 data that are rounded to float32.
    `warnings.simplefilter("error", vipl.VIPLWarning)` makes them errors.
    """


class BiasWarning(VIPLWarning):
    """A gradient is suspected to be wrong; raised as `BiasError` with `strict=True`.

    Cause: a site with `estimator=Reparam()` whose value reaches the objective through a jump. Cure: `Auto`,
    which notices by itself, or `ScoreFunction`; `vipl.continuous` where the pieces meet.
    """


def did_you_mean(name: str, known) -> str:
    """Return ` Did you mean 'x'?` for the closest known name, or the list of known names."""
    import difflib

    known = sorted(known)
    same_end = [k for k in known if k.endswith("/" + name) or name.endswith("/" + k)]  # a prefix forgotten, or too many
    close = same_end or difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    shown = ", ".join(repr(k) for k in known[:12]) + (", …" if len(known) > 12 else "")
    return f" Known: {shown}." if known else " There are none."
