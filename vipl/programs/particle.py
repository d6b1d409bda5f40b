"""One particle: a walk through a body in which some sites have given values and the others are drawn.

What it is to be drawn is up to the walk around: pushed through from noise, or made a choice of an objective.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.constructs import Conditional
from vipl._core.errors import DensityError
from vipl._core.estimated_density import Body
from vipl._core.structural_vmap import structural_vmap
from vipl.tracing.meaning import FactorOutput, Meaning, SiteOutput, ValueOutput, score, total
from vipl.tracing.record import build_site


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class EstimatedOutput:
    """What a program with an estimated density puts out.

    Attributes:
        log_prob: log ŵ, a scalar.
        sites: paths of the sites whose density it is.
        unknown: why there is none of a draw, as `(where, why, fix)`, or None.
    """

    log_prob: jax.Array
    sites: tuple = dataclasses.field(metadata={"static": True})
    unknown: tuple | None = dataclasses.field(default=None, metadata={"static": True})


class Particle(Meaning):
    """The meaning of the walk around, with the sites at some paths fixed.

    Args:
        around: the handler of the walk around.
        fixed: paths of the sites whose values are given.
        required: paths of the sites whose values must be given.
    """

    def __init__(self, around: Meaning, fixed=frozenset(), required=frozenset()):
        super().__init__(around.surveyed, record=True)
        self.around, self.paths, self.required = around, fixed, required
        self.rebinds, self.in_expectation = around.rebinds, around.in_expectation

    def fixes(self, path) -> bool:
        """Return whether the site has a given value."""
        return path in self.paths

    def latent(self, path, statement, leaves, given):
        """Score the given value, or draw as the walk around draws."""
        if path in self.paths:
            return given, self.marked(statement, leaves, given, score(statement, leaves, given))
        assert path not in self.required, f"{statement} has no value here, and must not be drawn"
        return self.around.auxiliary(path, statement, leaves, given)

    def param(self, path, statement, operands, given):
        """Do as the walk around does."""
        return self.around.param(path, statement, operands, given)


def run_particle(body: Body, handler: Meaning, values: dict, given: dict, inputs=()):
    """Walk through a body with values by name: none for a run that draws, or all.

    Returns:
        The results, and what the statements put out.
    """
    fixed = {s.path: values[a] for a, group in body.sites.items() if a in values for s in group}
    required = frozenset(body.names) if values else frozenset()
    return body.walk(Particle(handler, frozenset(fixed), required), inputs, given | fixed)


def values_of(body: Body, outputs: dict) -> dict:
    """Return the values of the sites of a body, by name, from what they put out."""
    present = {a: [outputs[s.path] for s in group if s.path in outputs] for a, group in body.sites.items()}
    return {address: build_site(group, False).value for address, group in present.items() if group}


def split_total(body: Body, outputs: dict, names):
    """Return the log density of the sites of some names, and that of everything else, scalars."""
    inside = {path: output for path, output in outputs.items() if _belongs(body, path, output, names)}
    return total(inside), total({path: output for path, output in outputs.items() if path not in inside})


def _belongs(body, path, output, names) -> bool:
    plain = output.output if isinstance(output, Conditional) else output
    if not isinstance(plain, EstimatedOutput):
        return body.names.get(path) in names
    among = [body.names.get(site) in names for site in plain.sites]
    if any(among) and not all(among):
        together = ", ".join(repr(body.names.get(site, "an observed one")) for site in plain.sites)
        raise DensityError(
            f"sites {together} have one estimated density together, and only some of them are kept.",
            fix="keep all sites of a nested marginal or normalized program, or none; or give vipl.Importance a "
            "proposal for the others",
        )
    return any(among)


def shown(body: Body, outputs: dict) -> dict:
    """Return what the surface of a body puts out; the sites are without a density, which all have together."""
    surface = {located.path for located in body.surface}
    return {
        path: jax.tree.map(_silent, output, is_leaf=lambda x: isinstance(x, SiteOutput))
        for path, output in outputs.items()
        if path in surface and not isinstance(output, FactorOutput)
    }


def params_in(outputs: dict) -> dict:
    """Return what the params put out, where the walk around asks for them."""
    return {path: output for path, output in outputs.items() if isinstance(output, ValueOutput)}


def _silent(output):
    if not isinstance(output, SiteOutput):
        return output
    return SiteOutput(output.value, jnp.zeros_like(output.log_prob), output.distribution)


def over_particles(handler: Meaning, count: int, fn, *trees):
    """Map a function of a walk over particles; arrays in `trees` have them in front."""
    leaves, structure = jax.tree.flatten(trees)
    shape = []

    def lane(*flat):
        flat_out, out_structure = jax.tree.flatten(fn(*jax.tree.unflatten(structure, flat)))
        shape[:] = [out_structure]
        return flat_out

    mapped = structural_vmap if handler.rebinds else jax.vmap
    flat = mapped(lane, (0,) * len(leaves), axis_size=count)(*leaves)
    return jax.tree.unflatten(shape[0], flat)


def log_mean_exp(log_weights):
    """Return log mean_k w_k over the leading axis; −inf, with derivative zero, where all weights are zero."""
    top = lax.stop_gradient(jnp.max(log_weights, 0))
    some = jnp.isfinite(top)
    excess = jnp.where(some, log_weights - jnp.where(some, top, 0.0), 0.0)
    return jnp.where(some, jnp.log(jnp.mean(jnp.exp(excess), 0)) + top, top)


def posterior_density(log_joint, log_evidence):
    """Return log p(x, y) − log p(y); zero where nothing is possible, of which no value has a density to speak of."""
    some = jnp.isfinite(log_evidence)
    return jnp.where(some, log_joint - jnp.where(some, log_evidence, 0.0), 0.0)
