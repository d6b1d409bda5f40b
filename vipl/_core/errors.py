"""What vipl says when something is wrong: every error names what, where and the fix.

All errors derive from `VIPLError`, so `except vipl.VIPLError` catches them all. Each message has
three parts, built here so that they always look alike::

    AddressError: 'mu' is sampled twice.
      where: site 'mu', model.py:12 in eight_schools
      fix: give each site its own address, for example vipl.sample("mu_2", ...)
"""

from __future__ import annotations


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
    """An address is duplicate, missing, unexpected or misspelt."""


class SupportError(VIPLError):
    """A value or a parameter lies outside the set where it must lie."""


class ShapeError(VIPLError):
    """A shape does not fit: a value and its site, a plate and its batch, two programs."""


class EstimatorError(VIPLError):
    """An estimator cannot serve a site."""


class RandomnessError(VIPLError):
    """A key is missing, of the wrong kind, or given where none belongs; or lanes would share one draw."""


class BiasError(VIPLError):
    """A gradient would be silently wrong."""


class ProgramError(VIPLError):
    """A program uses a statement where it has no meaning, or branches in Python on a sampled value."""


class DensityError(VIPLError):
    """A density was asked for that does not exist or cannot be computed."""


class ParameterError(VIPLError):
    """A learnable parameter or an initial value is missing, unexpected, or of the wrong kind."""


class NonFiniteError(VIPLError):
    """Training met a value that is not finite."""


class VIPLWarning(UserWarning):
    """Base class of vipl's warnings."""


class BiasWarning(VIPLWarning):
    """A gradient is suspected to be wrong; raised as `BiasError` with `strict=True`."""


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
