"""`pose`: from what the user hands over to a Problem, and where its parameters start."""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.errors import ParameterError, ProgramError
from vipl._core.source import user_source
from vipl._core.static import FunctionKey, is_array_leaf, partition
from vipl.guides import GuideFamily, MeanField
from vipl.infer.problem.checks import (
    check_evidence,
    check_guide_observes_nothing,
    check_kind,
    check_returned,
    check_trained,
    refuse_shared,
    warn_of_unscaled_batches,
)
from vipl.infer.problem.data import Data
from vipl.infer.problem.initial import floating, split_frame, started_from
from vipl.infer.problem.problem import Problem, addresses_of, check_unchanged
from vipl.infer.problem.without_data import survey_without_data
from vipl.lang.program import Program
from vipl.tracing.parameters import init_params
from vipl.tracing.survey import survey


def pose(
    model, guide, params, key, data: Data | None = None, frame_of=None, *, without_data=frozenset()
) -> tuple[Problem, object]:
    """Return the problem and its initial parameters.

    Args:
        model: as `vipl.infer` takes it.
        guide: likewise.
        params: likewise.
        key: for values that start at random.
        data: the data, if there are any besides those of the model.
        frame_of: function of a surveyed model and a guide family that returns the frame to train in, or None.
        without_data: addresses of sites that are no latent ones, also if the model was not given their data.

    Raises:
        ProgramError: the model or the guide is not what `infer` takes.
        ParameterError: `params` does not fit.
        AddressError: the model observes nothing.
    """
    source = user_source()
    guide = MeanField() if guide is None else guide
    functions = params is not None or data is not None
    check_kind(model, "model", functions, source)
    check_kind(guide, "guide", functions, source)
    if isinstance(model, Program) and isinstance(guide, (Program, GuideFamily)):
        if data is not None:
            raise ProgramError(
                f"data is given, and neither the model {model.name} nor the guide takes a batch of it.",
                where=source,
                fix="vipl.infer(lambda params, batch: model(batch), …, data=data, batch_size=32)",
            )
        return _pose_programs(model, guide, params, key, frame_of, without_data, source)
    if data is not None and params is None:
        return _pose_batches(model, guide, key, data, source)
    if isinstance(guide, GuideFamily):
        raise ProgramError(
            f"{guide} makes its own params, and the model is a function of params.",
            where=source,
            fix="declare the model's params with vipl.param, or write the guide as a function of params too",
        )
    return _pose_functions(model, guide, params, data, without_data, source)


def _pose_programs(model, guide, params, key, frame_of, without_data, source):
    surveyed, seen = survey_without_data(model, without_data), addresses_of(survey(model))
    family = frame = None
    check_evidence(surveyed, source)
    if isinstance(guide, GuideFamily):
        family = guide
        params, frame = split_frame(params)
        if frame_of is not None and params is None:
            check_unchanged(jax.tree.map(lambda leaf: leaf, model), seen)  # a copy is staged anew
            frame = frame_of(surveyed, guide)
        guide, initial = guide.build(surveyed, frame)
        guide_names = tuple(initial)
        own = init_params(key, model) if surveyed.params else {}
        refuse_shared(surveyed, set(initial) & set(own))
        initial |= own
    else:
        initial = init_params(key, model, guide)
        guide_names = tuple(survey(guide).params)
    if params is not None:
        initial = started_from(params, initial, (surveyed, survey(guide)), source)
        if family is not None and frame_of is not None and frame is None:
            frame, own = family.reframe(surveyed, {name: initial[name] for name in guide_names})
            initial |= own
    check_guide_observes_nothing(survey(guide))
    return Problem(
        model,
        guide,
        frame,
        model_params=tuple(surveyed.params),
        guide_params=guide_names,
        addresses=(seen, addresses_of(survey(guide))),
    ), initial


def _pose_batches(model, guide, key, data, source):
    """Pose functions of a batch whose params are declared by `vipl.param`, or belong to a guide family."""
    first = model if isinstance(model, Program) else model({}, data.first)
    check_returned(first, "model", source)
    surveyed = survey(first)
    check_evidence(surveyed, source)
    warn_of_unscaled_batches(surveyed, data.size, data.batch_size)
    if isinstance(guide, GuideFamily):
        guide, initial = guide.build(surveyed)
        own = init_params(key, first) if surveyed.params else {}
        refuse_shared(surveyed, set(initial) & set(own))
        guide_names, guide_first, initial = tuple(initial), guide, initial | own
    else:
        guide_first = guide if isinstance(guide, Program) else guide({}, data.first)
        check_returned(guide_first, "guide", source)
        guide_names, initial = tuple(survey(guide_first).params), init_params(key, first, guide_first)
    check_guide_observes_nothing(survey(guide_first))
    model_program, model_of = _split(model)
    guide_program, guide_of = _split(guide)
    return Problem(
        model_program,
        guide_program,
        data=data,
        model_of=model_of,
        guide_of=guide_of,
        model_params=tuple(surveyed.params),
        guide_params=guide_names,
        addresses=(addresses_of(surveyed), addresses_of(survey(guide_first))),
    ), initial


def _split(program) -> tuple[Program | None, FunctionKey | None]:
    return (program, None) if isinstance(program, Program) else (None, FunctionKey(program))


def _pose_functions(model, guide, params, data, without_data, source):
    if params is None:
        raise ParameterError(
            "the model or the guide is a function of parameters, and no params were given.",
            where=source,
            fix='vipl.infer(model, lambda params: guide(params), params={"loc": 0.0}, …)',
        )
    params, skeleton = floating(params, source), None
    if not all(is_array_leaf(leaf) for leaf in jax.tree.leaves(params)):
        params, skeleton = partition(params)
        params = tuple(params)
    (model_program, model_of), (guide_program, guide_of) = _split(model), _split(guide)
    problem = Problem(model_program, guide_program, data=data, model_of=model_of, guide_of=guide_of, skeleton=skeleton)
    programs = problem.programs(params)
    surveys = []
    for role, program in zip(("model", "guide"), programs, strict=True):
        check_returned(program, role, source)
        surveys.append(survey(program))
        check_trained(surveys[-1], role)
    check_evidence(survey_without_data(programs[0], without_data), source)
    check_guide_observes_nothing(surveys[1])
    if data is not None:
        warn_of_unscaled_batches(surveys[0], data.size, data.batch_size)
    addresses = tuple(addresses_of(surveyed) for surveyed in surveys)
    return dataclasses.replace(problem, addresses=addresses), params
