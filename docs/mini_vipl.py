"""mini_vipl: the ideas of vipl in one file, to be read from top to bottom.

A *program* is a function that calls `sample`. What that does is up to whoever runs the program, the *handler*: draw a
value, look one up, or make one that a gradient can pass through. An *expectation* is a function that simulates programs
and returns a number; `expectation` makes of it a function of a key, right on average, and so are its derivatives.

    @program
    def model(y):
        mu = sample("mu", dist.Normal(0.0, 5.0))
        sample("y", dist.Normal(mu, 1.0), obs=y)

    @program
    def guide(loc):
        sample("mu", dist.Normal(loc, 1.0), estimator=reparam)

    @expectation
    def elbo(model, guide):
        trace = simulate(guide)
        return log_density(model, trace.choices) - trace.log_density

    jax.grad(lambda loc: elbo(jax.random.key(0), model(2.0), guide(loc)))(0.0)

vipl stages programs to jaxprs, so that they may hold `scan`, `cond` and plates, credits each choice with what depends
on it alone, and has many estimators in place of two. The idea is this one.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp

# 1. Programs ----------------------------------------------------------------------------------------------------------

_HANDLERS = []  # who runs a program now; the innermost is the last


def sample(address, distribution, *, obs=None, estimator=None):
    """Make a random choice with a name; or, with `obs`, say that it was observed."""
    return _HANDLERS[-1].sample(address, distribution, obs, estimator)


@dataclasses.dataclass(frozen=True)
class Program:
    """A function that samples, with its arguments."""

    fn: object
    args: tuple

    def run(self, handler):
        """Call the function; what it samples is up to the handler."""
        _HANDLERS.append(handler)
        try:
            return self.fn(*self.args)
        finally:
            _HANDLERS.pop()


def program(fn):
    """Make a function of programs: `program(fn)(*args)` is a Program."""
    return functools.wraps(fn)(lambda *args: Program(fn, args))


# 2. What a program means ----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Trace:
    """One run of a program: what it chose, by address, and the log density of that and of what it observed."""

    choices: dict
    log_density: jax.Array


class _Handler:
    """Adds up log densities; where the value of a choice comes from, `choose` says."""

    def __init__(self, choose):
        self.choose, self.choices, self.log_density = choose, {}, jnp.zeros(())

    def sample(self, address, distribution, obs, estimator):
        value = self.choose(address, distribution, estimator) if obs is None else obs
        self.choices |= {address: value} if obs is None else {}
        self.log_density += jnp.sum(distribution.log_prob(value))
        return value


def simulate(program, key=None):
    """Run a program: with a key by itself, without in an expectation, whose cost its choices then are."""
    handler = _Handler((_CHOICES[-1] if key is None else _Choices(key)).make)
    program.run(handler)
    return Trace(handler.choices, handler.log_density)


def log_density(program, choices):
    """Return the log density of given choices and of what the program observes: a scalar, in nats."""
    handler = _Handler(lambda address, distribution, estimator: choices[address])
    program.run(handler)
    return handler.log_density


# 3. How a gradient passes a choice ------------------------------------------------------------------------------------
# An estimator returns a value and a log weight, whose value is zero. The cost times the exponential of all log weights
# is the cost; its derivative has the estimators' terms besides, and at every order, since the derivative of an
# exponential is one again (Foerster et al. 2018, "DiCE").


def reparam(distribution, key):
    """A differentiable function of noise: nothing is to be weighed. The distribution must have one."""
    if not distribution.has_rsample:
        raise TypeError(f"{type(distribution).__name__} is not reparameterised; estimator=score_function")
    return distribution.sample(key), 0.0


def score_function(distribution, key):
    """∇ E f = E[∇f + f ∇ log q]: a fixed value, weighed by its density."""
    value = jax.lax.stop_gradient(distribution.sample(key))
    log_prob = jnp.sum(distribution.log_prob(value))
    return value, log_prob - jax.lax.stop_gradient(log_prob)


_CHOICES = []  # of the expectations that are being estimated; the innermost is the last


class _Choices:
    """Makes each choice with a key of its own, by its estimator, and adds up the log weights."""

    def __init__(self, key):
        self.key, self.log_weight = key, 0.0

    def make(self, address, distribution, estimator):
        self.key, key = jax.random.split(self.key)
        value, log_weight = (estimator or score_function)(distribution, key)  # the score function serves everything
        self.log_weight += log_weight
        return value


def expectation(objective):
    """Make of an objective a function of a key: unbiased in its value, and in all its derivatives."""

    def estimate(key, *args):
        _CHOICES.append(_Choices(key))
        try:
            cost = objective(*args)
        finally:
            choices = _CHOICES.pop()
        return cost * jnp.exp(choices.log_weight)

    return functools.wraps(objective)(estimate)
