"""Programs: decorated functions whose calls bind arguments and nothing else.

    @vipl.program
    def coin(flips):
        bias = vipl.sample("bias", dist.Beta(1.0, 1.0))
        with vipl.plate("flip", flips.shape[0]):
            vipl.sample("y", dist.Bernoulli(bias), obs=flips)

    model = coin(jnp.array([1, 1, 0]))      # a Program: nothing has run yet

A `Program` is a pytree whose leaves are its array arguments, with what it is conditioned on and its
parameters. So it passes through `jax.jit`, `jax.vmap` and `jax.grad` like any other argument.
"""

from __future__ import annotations

import functools
import inspect

import jax

from vipl._core import ambient
from vipl._core.compat import x64_enabled
from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl._core.staging import Staged, stage
from vipl._core.static import FunctionKey, Skeleton, partition, plain_array
from vipl.distributions.validation import validation_off
from vipl.lang.foreign import RefuseNumPyro
from vipl.lang.known import check_known_parameters
from vipl.lang.plate import IndicesStatement
from vipl.lang.site import SampleStatement
from vipl.lang.values import checked_values


class Program:
    """A function of statements with its arguments, observations, interventions and parameters.

    Made by calling a `vipl.program`-decorated function; not constructed by hand.

    Attributes:
        name: name of the decorated function.
        fn: the decorated function.
        args: positional arguments.
        kwargs: keyword arguments.
        observations: values observed with `condition`, by address.
        interventions: values set with `do`, by address.
        params: unconstrained values of `vipl.param` statements, by address, or None.

    Example:
        >>> import vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(scale):
        ...     return vipl.sample("x", dist.Normal(0.0, scale))
        >>> model(2.0)
        model(2.0)
    """

    __slots__ = ("__weakref__", "_arrays", "_fn", "_skeleton", "_staged")

    def __init__(self, fn, args=(), kwargs=None, observations=None, interventions=None, params=None):
        contents = (tuple(args), kwargs or {}, observations or {}, interventions or {}, params)
        arrays, self._skeleton = partition(contents)
        self._arrays = [plain_array(leaf) for leaf in arrays]
        self._fn = FunctionKey(fn)
        self._staged = None

    def _contents(self):
        return self._skeleton.fill(self._arrays)

    fn = property(lambda self: self._fn.value)

    @property
    def name(self) -> str:
        """What it is called: as its function is; or, if that makes programs of programs, by what its `title` says."""
        if hasattr(self.fn, "title"):
            return self.fn.title(*self.args)
        return getattr(self.fn, "__name__", type(self.fn).__name__)

    args = property(lambda self: self._contents()[0])
    kwargs = property(lambda self: self._contents()[1])
    observations = property(lambda self: self._contents()[2])
    interventions = property(lambda self: self._contents()[3])
    params = property(lambda self: self._contents()[4])

    def replace(self, **changes) -> Program:
        """Return a copy with other `observations`, `interventions` or `params`."""
        args, kwargs, observations, interventions, params = self._contents()
        contents = {"observations": observations, "interventions": interventions, "params": params} | changes
        copy = Program(self.fn, args, kwargs, **contents)
        copy._staged = self._staged  # staging sees the function and its arguments only
        return copy

    def run(self):
        """Run the function in the present surroundings."""
        args, kwargs, *_ = self._contents()
        with validation_off(), RefuseNumPyro():  # vipl's own checks name the site
            return self.fn(*args, **kwargs)

    def stage(self, varying: tuple[str, ...] = ()) -> Staged:
        """Return the function staged as a program of its own; once for each Program.

        Args:
            varying: mesh axes of a `jax.shard_map` along which its draws differ.
        """
        setting = (x64_enabled(), ambient.current(), varying)
        if self._staged is None or self._staged[0] != setting:
            staged = stage(self.run, kind="program", varying=varying)
            check_known_parameters(staged)
            self._staged = (setting, staged)
        return self._staged[1]

    def __or__(self, choices) -> Program:
        """Observe addresses: the same as `vipl.condition(program, choices)`."""
        values = checked_values(self.stage(), self.name, choices, "condition", (SampleStatement, IndicesStatement))
        return self.replace(observations=self.observations | values)

    def __repr__(self):
        args, kwargs, observations, interventions, _ = self._contents()
        shown = [_show(a) for a in args] + [f"{k}={_show(v)}" for k, v in kwargs.items()]
        text = f"{getattr(self.fn, '__name__', self.name)}({', '.join(shown)})"
        if observations:
            text += " | {" + ", ".join(f"{k!r}: {_show(v)}" for k, v in observations.items()) + "}"
        if interventions:
            text = f"do({text}, {{" + ", ".join(f"{k!r}: {_show(v)}" for k, v in interventions.items()) + "})"
        return text

    def __call__(self, *args, **kwargs):
        """Refuse: a Program has its arguments already."""
        raise ProgramError(
            f"{self.name} is already bound to its arguments and cannot be called.",
            where=user_source(),
            fix=f'vipl.simulate({self.name}(…), key), or vipl.sample("address", {self.name}(…)) inside a program',
        )


def _flatten(program):
    return program._arrays, (program._fn, program._skeleton)


def _unflatten(static, arrays):
    program = object.__new__(Program)
    program._fn, program._skeleton = static
    program._arrays, program._staged = list(arrays), None
    return program


def _flatten_with_keys(program):
    names = _array_names(program._skeleton)
    pairs = [(jax.tree_util.GetAttrKey(n), a) for n, a in zip(names, program._arrays, strict=True)]
    return pairs, (program._fn, program._skeleton)


def _array_names(skeleton: Skeleton):
    """Return names of the leaves for the errors of JAX: `args[0]`, `observations['y']` and so on."""
    everything = jax.tree.unflatten(skeleton.treedef, range(len(skeleton.leaves)))
    parts = ("args", "kwargs", "observations", "interventions", "params")
    return [
        parts[path[0].idx] + jax.tree_util.keystr(path[1:])
        for path, index in jax.tree_util.tree_leaves_with_path(everything)
        if skeleton.leaves[index] is None
    ]


jax.tree_util.register_pytree_with_keys(Program, _flatten_with_keys, _unflatten, _flatten)


class ProgramFunction:
    """A function decorated with `vipl.program`: calling it binds arguments and returns a `Program`.

    Nothing runs when it is called. It may be a method: the instance is the first argument then.

    Example:
        >>> import vipl
        >>> @vipl.program
        ... def model():
        ...     pass
        >>> model, model()
        (<vipl.program model>, model())
    """

    def __init__(self, fn):
        functools.update_wrapper(self, fn)
        self.fn = fn

    def __call__(self, *args, **kwargs) -> Program:
        """Bind arguments."""
        return Program(self.fn, args, kwargs)

    def static_contents(self):
        """Return what tells it from others: a program function defined anew is the same one to `jax.jit`."""
        return self.fn

    def __or__(self, choices):
        """Refuse: arguments come before observations."""
        raise ProgramError(
            f"{self.fn.__name__} is not bound to its arguments yet and cannot be conditioned.",
            where=user_source(),
            fix=f"{self.fn.__name__}(…) | {{…}}",
        )

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self):
        return f"<vipl.program {self.fn.__name__}>"


def program(fn) -> ProgramFunction:
    """Turn a function of statements into a program: a model, a guide, a proposal, anything that samples.

    Args:
        fn: any Python function (or method) that calls `vipl.sample` and its kin. Its arguments may be any
            pytrees: arrays and Python floats become leaves of the Program; ints, bools, strings and other
            objects stay as they are, so that they can set sizes and flags.

    Returns:
        A function of the same arguments that returns a `Program`.

    Raises:
        ProgramError: `fn` is not callable, is a Program already, or is a generator.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(scale):
        ...     return vipl.sample("x", dist.Normal(0.0, scale))
        >>> sorted(vipl.simulate(model(2.0), jax.random.key(0)))
        ['x']
    """
    if isinstance(fn, (Program, ProgramFunction)) or not callable(fn):
        raise ProgramError(
            f"vipl.program decorates a function, and got {fn!r}.",
            where=user_source(),
            fix="@vipl.program\ndef model(data): …",
        )
    if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn):
        raise ProgramError(
            f"{fn.__name__} is a generator or a coroutine, and its statements would never run.",
            where=user_source(),
            fix="a plain function: return in place of yield, no async",
        )
    return ProgramFunction(fn)


def _show(value) -> str:
    leaves = jax.tree.leaves(value)
    if len(leaves) == 1 and leaves[0] is value and getattr(value, "shape", ()) != ():
        return f"{value.dtype}{list(value.shape)}"
    return repr(value) if len(leaves) <= 1 else f"<{type(value).__name__} of {len(leaves)}>"
