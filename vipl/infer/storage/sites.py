"""The sites of a program in words, to tell whether it is the one that was fitted.

>>> import vipl, vipl.distributions as dist
>>> from vipl.infer.storage.sites import describe
>>> from vipl.tracing.survey import survey
>>> @vipl.program
... def model(y=None):
...     mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
...     vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
>>> describe(survey(model(0.5)))
{'latent': {'mu': ['Normal', [], 'float32']}, 'observed': {'y': ['Normal', [], 'float32']}}
"""

from __future__ import annotations

import numpy as np

from vipl._core.compat import x64_enabled
from vipl.infer.storage.archive import Archive
from vipl.infer.storage.refused import WRITE_ANEW
from vipl.infer.storage.trees import WIDE
from vipl.tracing.survey import Survey, survey


def describe(surveyed: Survey) -> dict:
    """Return the distribution, the shape and the type of each latent and each observed site, by address."""
    return {"latent": _group(surveyed.latents), "observed": _group(surveyed.observed)}


def _group(sites) -> dict:
    return {address: _site(located) for address, (located, *_) in sites.items()}


def _site(located) -> list:
    dtype = np.dtype(located.statement.dtype).name
    return [located.statement.distribution_name, list(located.full_shape), dtype]


def check_sites(archive: Archive, role: str, surveyed: Survey, fix: str) -> None:
    """Refuse a program whose sites are not those that were stored, and name the first that differs.

    Args:
        archive: what was read.
        role: "model" or "guide".
        surveyed: the program here.
        fix: what to do.

    Raises:
        CheckpointError: a site is missing, there is one more, or one has another distribution, shape or type.
    """
    here, name = describe(surveyed), surveyed.program.name
    without_data = survey(surveyed.program).latents
    for kind, stored in check_description(archive, role).items():
        for address, was in stored.items():
            found = here[kind].get(address)
            if found is None:
                raise archive.refusal(f"is of a {role} with the {kind} site {address!r}, which {name} has not", fix)
            if found != was and not (kind == "observed" and address in without_data):
                wide = was[2].endswith("64") and not x64_enabled()
                what = f"has {kind} site {address!r} as {_words(was)}, and in {name} it is {_words(found)}"
                raise archive.refusal(what, WIDE if wide else fix)
        for address in here[kind]:
            if address not in stored:
                raise archive.refusal(f"is of a {role} without the {kind} site {address!r}, which {name} has", fix)


def check_description(archive: Archive, role: str) -> dict:
    """Return what was stored of the sites of a program, if it is what `describe` returns."""
    found = archive.entry(role, dict)
    groups = {kind: found.get(kind) for kind in ("latent", "observed")}
    for group in groups.values():
        if not isinstance(group, dict) or not all(_is_site(site) for site in group.values()):
            raise archive.refusal(f"has no proper description of the {role}", WRITE_ANEW)
    return groups


def _is_site(site) -> bool:
    return isinstance(site, list) and list(map(type, site)) == [str, list, str]


def _words(site) -> str:
    distribution, shape, dtype = site
    return f"{distribution} of shape {tuple(shape)} and type {dtype}"
