"""`load_posterior`: a posterior from a file, with the model and the guide that were fitted."""

from __future__ import annotations

import jax

from vipl.guides import GuideFamily
from vipl.infer.posterior import Posterior
from vipl.infer.problem.pose import pose
from vipl.infer.problem.without_data import survey_without_data
from vipl.infer.storage import archive, trees
from vipl.infer.storage.archive import Archive
from vipl.infer.storage.saving import KIND, arrays_only
from vipl.infer.storage.sites import check_description, check_sites
from vipl.infer.storage.stored import Stored, stored_in
from vipl.lang.program import Program
from vipl.tracing.survey import survey

_FIX = "the model and the guide that were fitted: vipl.load_posterior(path, model, guide)"


def load_posterior(path, model, guide=None, *, params=None) -> Posterior:
    """Read a posterior that `Posterior.save` wrote, in this process or another one.

    The file holds arrays and JSON; it has no code, and none of it is run. So the model and the guide are handed over as
    they were to `vipl.infer`. The model may lack its data where it can do without, as `model(x, y=None)`: `elbo`,
    `khat` and `verdict` are those of the file, and `sample`, `predict` and `log_density` need no data.

    Args:
        path: the file.
        model: the model that was fitted: a Program, or a function that returns one.
        guide: the guide that was fitted: None for `guides.MeanField()`, a family, a Program, or a function.
        params: for functions of params that are in other containers than dicts, lists and tuples, such as the modules
            of a neural net: a tree like the one that was fitted, with any numbers.

    Returns:
        A `Posterior` that is equal in bits. Its `objective` is None if that was not the library's `elbo`, since a file
        holds no functions.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it is of another model or guide; the message names
            the first difference.

    Example:
        >>> import os, tempfile, jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(x, y=None):
        ...     slope = vipl.sample("slope", dist.Normal(0.0, 1.0))
        ...     with vipl.plate("data", x.shape[0]):
        ...         vipl.sample("y", dist.Normal(slope * x, 1.0), obs=y)
        >>> x, path = jnp.arange(3.0), os.path.join(tempfile.mkdtemp(), "fit.vipl")
        >>> posterior = vipl.infer(model(x, 2 * x), key=jax.random.key(0), num_steps=500, progress=False)
        >>> posterior.save(path)
        >>> again = vipl.load_posterior(path, model(x))
        >>> again.elbo == posterior.elbo
        True
    """
    found = archive.read(path, KIND)
    stored = stored_in(found)
    observed = frozenset(check_description(found, "model")["observed"])
    if isinstance(model, Program):
        check_sites(found, "model", survey_without_data(model, observed), _FIX)
    own = _own_params(found, stored, model, guide, params)
    frame_of = lambda surveyed, family: stored.frame  # noqa: E731
    problem, initial = pose(model, guide, own, stored.key, stored.data, frame_of, without_data=observed)
    if guide is None or isinstance(guide, GuideFamily):
        _check_family(found, stored.guide_name, problem.guide)
    template = arrays_only(problem.whole(initial))
    leaves = jax.tree.leaves(trees.unpack(found, "params", template, fix=_FIX))
    values = jax.tree.unflatten(jax.tree.structure(initial), leaves)
    fitted_model, fitted_guide = problem.programs(values)
    check_sites(found, "model", survey_without_data(fitted_model, observed), _FIX)
    check_sites(found, "guide", survey(fitted_guide), _FIX)
    posterior = Posterior(
        problem,
        values,
        stored.objective_history,
        stored.status,
        stored.key,
        stored.num_steps,
        objective=stored.objective,
        restarts=stored.restarts,
    )
    vars(posterior).update(stored.known)  # as if it had been asked for before: these are cached properties
    return posterior


def _own_params(found: Archive, stored: Stored, model, guide, params):
    """Return params for a model or a guide that is a function of them, or None."""
    programs = (Program, GuideFamily, type(None))
    if stored.declared or all(isinstance(one, programs) for one in (model, guide)):
        return None
    if params is not None:
        return params
    fix = "vipl.load_posterior(path, model, guide, params=params), with params like those that were fitted"
    if not stored.only_arrays:
        raise found.refusal("holds the arrays of params that were not all arrays", fix)
    return trees.unpack(found, "params", fix=fix)


def _check_family(found: Archive, was: str, guide) -> None:
    """Refuse a family that is not the one that was fitted; how users call their own guides is their affair."""
    if guide.name != was:
        raise found.refusal(f"is of the guide {was}, and here the guide is {guide.name}", _FIX)
