"""What is to be fitted: a model and a guide as functions of parameters, and where these start."""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.errors import AddressError, ParameterError, ProgramError
from vipl._core.source import user_source
from vipl._core.static import FunctionKey
from vipl.guides import GuideFamily, MeanField
from vipl.infer.initial import floating, started_from
from vipl.lang.program import Program, ProgramFunction
from vipl.tracing.parameters import init_params
from vipl.tracing.survey import Survey, survey


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Problem:
    """A model and a guide, each a Program or a function of the parameters that returns one.

    Attributes:
        model, guide: Programs whose `vipl.param`s are the parameters, or None.
        model_of, guide_of: functions of the parameters, where those are None.
        model_params, guide_params: the addresses of the params of either Program.
        addresses: what the first look at both found, against programs that change between looks.
    """

    model: Program | None
    guide: Program | None
    model_of: FunctionKey | None = dataclasses.field(metadata={"static": True})
    guide_of: FunctionKey | None = dataclasses.field(metadata={"static": True})
    model_params: tuple = dataclasses.field(metadata={"static": True})
    guide_params: tuple = dataclasses.field(metadata={"static": True})
    addresses: tuple = dataclasses.field(metadata={"static": True})

    def programs(self, params) -> tuple[Program, Program]:
        """Return model and guide with these parameters."""
        model = _with(self.model, self.model_of, self.model_params, params)
        guide = _with(self.guide, self.guide_of, self.guide_params, params)
        for program, before in zip((model, guide), self.addresses, strict=False):
            now = _addresses(survey(program))
            if now == before:
                continue
            varying = {a for group in before for a in group} ^ {a for group in now for a in group}
            raise ProgramError(
                f"{program.name} has other sites each time it is looked at; only sometimes there: "
                f"{', '.join(map(repr, sorted(varying))) or 'an observation'}.",
                where=user_source(),
                fix="a program's sites may depend on its arguments' shapes and static values only, "
                "not on global state or Python randomness",
            )
        return model, guide


def _with(program: Program | None, program_of: FunctionKey | None, names: tuple, params) -> Program:
    if program_of is not None:
        return program_of(params)
    assert program is not None, "a Problem has one of the two"
    if not names:
        return program
    return program.replace(params=(program.params or {}) | {name: params[name] for name in names})


def _addresses(surveyed: Survey) -> tuple:
    return (tuple(surveyed.latents), tuple(surveyed.observed))


def pose(model, guide, params, key) -> tuple[Problem, object]:
    """Return the problem and its initial parameters.

    Raises:
        ProgramError: the model or the guide is not what `infer` takes.
        ParameterError: `params` does not fit.
        AddressError: the model observes nothing.
    """
    source = user_source()
    _check_kind(model, "model", params, source)
    guide = MeanField() if guide is None else guide
    if not isinstance(guide, GuideFamily):
        _check_kind(guide, "guide", params, source)
    functions = [f for f in (model, guide) if not isinstance(f, (Program, GuideFamily))]
    if functions:
        return _pose_functions(model, guide, params, source)
    surveyed = survey(model)
    check_evidence(surveyed, source)
    if isinstance(guide, GuideFamily):
        guide, initial = guide.build(surveyed)
        guide_names = tuple(initial)
        own = init_params(key, model) if surveyed.params else {}
        _refuse_shared(surveyed, set(initial) & set(own))
        initial |= own
    else:
        initial = init_params(key, model, guide)
        guide_names = tuple(survey(guide).params)
    if params is not None:
        initial = started_from(params, initial, (surveyed, survey(guide)), source)
    addresses = (_addresses(surveyed), _addresses(survey(guide)))
    problem = Problem(model, guide, None, None, tuple(surveyed.params), guide_names, addresses)
    check_guide_observes_nothing(survey(guide))
    return problem, initial


def _refuse_shared(surveyed, shared) -> None:
    for address in sorted(shared):
        raise ParameterError(
            f"param {address!r} is in {surveyed.program.name} and in the guide that is made for it.",
            where=surveyed.params[address][0].statement,
            fix=f"another address in {surveyed.program.name}",
        )


def _pose_functions(model, guide, params, source):
    if params is None:
        raise ParameterError(
            "the model or the guide is a function of parameters, and no params were given.",
            where=source,
            fix='vipl.infer(model, lambda params: guide(params), params={"loc": 0.0}, …)',
        )
    params = floating(params, source)
    programs = {"model": model, "guide": guide}
    for name in ("model", "guide"):
        if not isinstance(programs[name], (Program, GuideFamily)):
            programs[name] = programs[name](params)
            if not isinstance(programs[name], Program):
                raise ProgramError(
                    f"the {name} function returned {type(programs[name]).__name__} instead of a program.",
                    where=source,
                    fix=f"return the program: lambda params: {name}(data, params)",
                )
    if isinstance(programs["guide"], GuideFamily):
        raise ProgramError(
            f"{programs['guide']} makes its own params, and the model is a function of params.",
            where=source,
            fix="declare the model's params with vipl.param, or write the guide as a function of params too",
        )
    surveys = {name: survey(program) for name, program in programs.items()}
    for name, surveyed in surveys.items():
        unfed = [a for a in surveyed.params if a not in (programs[name].params or {})]
        if unfed:
            raise ParameterError(
                f"the {name} has vipl.param {unfed[0]!r}, which would not be trained: params= are.",
                where=surveyed.params[unfed[0]][0].statement,
                fix="one way for all: only vipl.param, or only a params pytree",
            )
    check_evidence(surveys["model"], source)
    check_guide_observes_nothing(surveys["guide"])
    problem = Problem(
        model if isinstance(model, Program) else None,
        guide if isinstance(guide, Program) else None,
        None if isinstance(model, Program) else FunctionKey(model),
        None if isinstance(guide, Program) else FunctionKey(guide),
        (),
        (),
        tuple(_addresses(surveyed) for surveyed in surveys.values()),
    )
    return problem, params


def _check_kind(program, role, params, source) -> None:
    if isinstance(program, Program):
        return
    if isinstance(program, ProgramFunction) and params is None or not callable(program):
        name = getattr(program, "__name__", type(program).__name__)
        raise ProgramError(
            f"the {role} is {name}, which is not a program.",
            where=source,
            fix=f"call the program function with its arguments: {name}(…)",
        )
    if isinstance(program, type):
        raise ProgramError(f"the {role} is the class {program.__name__}.", where=source, fix=f"{program.__name__}()")


def check_evidence(surveyed: Survey, source) -> None:
    """Refuse a model that observes nothing: the usual cause is data that were not passed."""
    if not surveyed.has_evidence:
        sites = ", ".join(map(repr, surveyed.latents))
        raise AddressError(
            f"the model {surveyed.program.name} has no observed site; all are latent: {sites}.",
            where=source,
            fix='pass the data, model(x, y) with vipl.sample("y", …, obs=y), or condition: model(x) | {"y": y}',
        )


def check_guide_observes_nothing(surveyed: Survey) -> None:
    """Refuse a guide with observations."""
    for address, group in surveyed.observed.items():
        raise AddressError(
            f"the guide {surveyed.program.name} observes {address!r}.",
            where=group[0].statement,
            fix="remove obs= from the guide; the model alone observes",
        )
