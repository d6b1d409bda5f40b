"""A posterior from a file is the one that was saved, bit for bit; one of another model or guide is refused by name."""

import dataclasses
import json
import os
import subprocess
import sys

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import LONG
from unit.infer.storage import schools as script
from unit.infer.storage.schools import SIGMA, Y, bits, fingerprint, fit, refusal, schools

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.infer.storage import saving

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    posterior = fit()
    path = tmp_path_factory.mktemp("saved") / "fit.vipl"
    posterior.save(path)
    return posterior, path


@pytest.mark.parametrize("model", [schools(SIGMA, Y), schools(SIGMA), schools(SIGMA) | {"y": Y}])
def test_the_same_bits(saved, model):
    posterior, path = saved
    found = vipl.load_posterior(path, model)
    assert fingerprint(found) == fingerprint(posterior)
    assert found.objective == posterior.objective.with_num_samples(1)
    assert bits(found.guide) == bits(posterior.guide)


def test_the_same_bits_in_another_process(saved):
    posterior, path = saved
    command = [sys.executable, script.__file__, path]
    environment = os.environ | {"JAX_DISABLE_MOST_OPTIMIZATIONS": str(int(not LONG))}  # as `quick_compilation` has it
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout) == fingerprint(posterior)


def test_the_fingerprint_sees_another_fit(saved):
    other = fingerprint(fit(key=jax.random.key(1)))
    same = {name for name, value in fingerprint(saved[0]).items() if other[name] == value}
    assert same <= {"words", "addresses"}


def test_saved_twice_is_the_same_file(saved, tmp_path):
    vipl.load_posterior(saved[1], schools(SIGMA)).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved[1].read_bytes()


def test_with_its_data_it_can_be_judged_anew(saved):
    again = vipl.load_posterior(saved[1], schools(SIGMA, Y)).diagnose(num_samples=1000)
    assert again.num_draws == 1000
    with pytest.raises(vipl.DensityError, match="'y'"):
        vipl.load_posterior(saved[1], schools(SIGMA)).diagnose(num_samples=1000)


@vipl.program
def point(x=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    vipl.sample("x", dist.Normal(mu, 1.0), obs=x)


@vipl.program
def normal(params):
    vipl.sample("mu", dist.Normal(params["loc"], jnp.exp(params["log_scale"][0])))


def network(params):
    hidden = params["network"](jnp.ones(1))
    return normal({"loc": hidden[0], "log_scale": hidden[1:]})


def started(width):
    return {"network": equinox.nn.MLP(1, 2, width, 1, key=jax.random.key(0))}


def assert_same(found, given):
    key = jax.random.key(3)
    assert bits(found.sample(key, 5)) == bits(given.sample(key, 5))
    assert bits(found.params) == bits(given.params)
    assert (found.elbo, found.khat) == (given.elbo, given.khat)


def test_functions_of_params_in_plain_containers(tmp_path):
    given = fit(point(0.5), normal, params={"loc": 0.0, "log_scale": [0.0]}, num_steps=3)
    given.save(tmp_path / "fit")
    for params in (None, {"loc": 5.0, "log_scale": [5.0]}):
        assert_same(vipl.load_posterior(tmp_path / "fit", point(), normal, params=params), given)
    wrong = {"loc": 0.0, "log_scale": [jnp.zeros(2)]}
    assert "params['log_scale'][0] of shape ()" in refusal(tmp_path / "fit", point(), normal, params=wrong)


def test_functions_of_params_in_other_containers(tmp_path):
    given = fit(point(0.5), network, params=started(3), num_steps=3)
    given.save(tmp_path / "fit")
    assert_same(vipl.load_posterior(tmp_path / "fit", point(), network, params=started(3)), given)
    assert "params that were not all arrays" in refusal(tmp_path / "fit", point(), network)
    what = refusal(tmp_path / "fit", point(), network, params=started(4))
    assert "params['network'].layers[0].weight of shape (3, 1), and here it has shape (4, 1)" in what


def test_functions_of_a_batch(tmp_path):
    def model_of(params, batch):
        return point(jnp.mean(batch))

    def guide_of(params, batch):
        return normal({"loc": params["loc"] + jnp.mean(batch), "log_scale": params["log_scale"]})

    options = {"data": jnp.arange(8.0), "num_steps": 3}
    given = fit(model_of, guide_of, params={"loc": 0.0, "log_scale": [0.0]}, **options)
    given.save(tmp_path / "fit")
    assert_same(vipl.load_posterior(tmp_path / "fit", model_of, guide_of), given)
    given = fit(model_of, guides.FullRank(), **options)
    given.save(tmp_path / "fit")
    assert_same(vipl.load_posterior(tmp_path / "fit", model_of, guides.FullRank()), given)


@dataclasses.dataclass(frozen=True)
class InFrame(guides.FullRank):
    """A family that stays in the coordinates that it was trained in."""

    def settle(self, surveyed, frame, params):
        return frame, params


def test_a_guide_in_coordinates_of_its_own(tmp_path):
    given = fit(point(0.5), InFrame())
    assert given._problem.frame is not None
    given.save(tmp_path / "fit")
    assert_same(vipl.load_posterior(tmp_path / "fit", point(), InFrame()), given)


def test_several_runs(tmp_path):
    given = fit(point(0.5), num_restarts=3)
    given.save(tmp_path / "fit")
    found = vipl.load_posterior(tmp_path / "fit", point())
    assert_same(found, given)
    assert bits(dataclasses.asdict(found.restarts)) == bits(dataclasses.asdict(given.restarts))


def test_runs_of_a_file_without_their_errors(tmp_path, monkeypatch):
    """As vipl wrote it before it kept them."""
    monkeypatch.setattr(saving, "RESTARTS", ("objectives", "rhat", "best"))
    given = fit(point(0.5), num_restarts=3)
    given.save(tmp_path / "fit")
    found = vipl.load_posterior(tmp_path / "fit", point()).restarts
    np.testing.assert_array_equal(found.objectives, given.restarts.objectives)
    np.testing.assert_array_equal(found.errors, np.zeros(3))
    assert given.restarts.errors.all(), "nothing is shown"


@vipl.expectation
def twice_the_elbo(model, guide):
    trace = vipl.simulate(guide)
    return 2 * (vipl.log_density(model, trace) - trace.log_density)


def test_an_objective_of_ones_own_stays_behind(tmp_path):
    given = fit(point(0.5), objective=twice_the_elbo, num_steps=3)
    given.save(tmp_path / "fit")
    assert (
        vipl.load_posterior(
            tmp_path / "fit",
            point(),
        ).objective
        is None
    )
    given = fit(point(0.5), num_samples=4, num_steps=3)
    given.save(tmp_path / "fit")
    assert vipl.load_posterior(tmp_path / "fit", point()).objective == given.objective


def test_what_cannot_be_judged_is_saved_all_the_same(tmp_path, monkeypatch):
    def fail(self):
        raise MemoryError

    given = fit(point(0.5), num_steps=3)
    with monkeypatch.context() as patch:
        patch.setattr(type(given), "_judgement", property(fail))
        given.save(tmp_path / "fit")
    found = vipl.load_posterior(tmp_path / "fit", point(0.5))
    assert_same(found, given)
    assert np.isnan(vipl.load_posterior(tmp_path / "fit", point()).elbo)


def test_double_precision(tmp_path):
    with jax.enable_x64(True):
        given = fit(point(0.5), num_steps=3)
        given.save(tmp_path / "fit")
        assert given.params["mu.loc"].dtype == jnp.float64
        assert_same(vipl.load_posterior(tmp_path / "fit", point()), given)
    with pytest.raises(vipl.CheckpointError, match="'mu' as Normal of shape .* float64, and") as caught:
        vipl.load_posterior(tmp_path / "fit", point())
    assert "jax_enable_x64" in caught.value.fix


@pytest.mark.parametrize("path", ["missing", "."])
def test_where_there_is_no_file(tmp_path, path):
    assert repr(str(tmp_path / path)) in refusal(tmp_path / path, point())


def test_where_no_file_can_be_written(saved, tmp_path):
    with pytest.raises(vipl.CheckpointError, match="cannot be written: no such file"):
        saved[0].save(tmp_path / "missing" / "fit")
