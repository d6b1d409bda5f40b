"""What simulate draws: the law that each site has given those before it, and independence of all else.

Every program says how its draws become uniforms that must be independent: of its distribution function given
the parents, site by site, lane by lane and step by step. So one test sees a wrong law, a draw that two lanes
share, and a step that repeats the last.
"""

import zlib

import jax
import numpy as np
import pytest
import scipy.stats
from helpers import draws
from program_registry import PROGRAMS, in_float64

import vipl

pytestmark = pytest.mark.usefixtures("quick_compilation")

NUM_DRAWS = draws(4000)
CHECKED = [name for name, case in PROGRAMS.items() if case.uniforms is not None]
FAST = [  # every construct once; the others with VIPL_LONG
    "normal_chain", "positive", "interval", "heavy_tails", "counts", "finite", "gaussians", "simplex",
    "correlations", "transformed", "masked", "mixtures", "shapes", "circular",
    "plate", "plates_nested", "plates_with_dims", "plate_subsampled", "plate_of_events",
    "scan_forward", "scan_reverse", "scan_of_trees", "scans_nested", "fori_loop", "lax_map", "python_loop",
    "cond", "cond_on_one_address", "switch", "conds_nested",
    "jax_vmap", "jax_vmap_nested", "vmap_batched", "vmap_unbatched", "vmap_nested", "vmap_in_jax_vmap",
    "jit_in_scopes", "checkpoint", "custom_rules_under_vmap",
    "nested", "nested_in_plate", "nested_in_jax_vmap", "params_put_in",
    "scan_in_vmap", "vmap_in_scan", "cond_in_scan", "cond_in_vmap", "wrappers_in_scan", "subsample_in_vmap",
    "cond_in_scan_in_vmap",
]  # fmt: skip
# One false alarm in 10^6 columns, and in 10^6 pairs of columns.
LEAST_P_VALUE = 1e-6
LARGEST_Z = 5.0


@jax.jit
def choices_of(program, keys):
    def one(key):
        trace = vipl.simulate(program, key)
        return dict(trace.choices) | trace.indices

    return jax.vmap(one)(keys)


def uniforms_of(case, num_draws=NUM_DRAWS):
    """Return the uniforms of all sites side by side, `(num_draws, columns)`, and a name for each column."""
    keys = jax.random.split(jax.random.key(zlib.crc32(case.name.encode())), num_draws)
    return columns_of(case, in_float64(choices_of(case.program(), keys)), num_draws)


def columns_of(case, drawn, num_draws):
    """Return the same of what a program has drawn, by address."""
    columns, names = [], []
    for address, values in case.uniforms(drawn, np.random.default_rng(0)).items():
        flat = values.reshape(num_draws, -1)
        columns.append(flat)
        names += [f"{address}[{i}]" for i in range(flat.shape[1])]
    return np.concatenate(columns, 1), names


def assert_independent_uniforms(uniforms, names):
    """Check each column against the uniform law, and the values and their spread for mean and correlations.

    With 4000 draws a mean off by 0.08 standard deviations is seen, a distribution function off by 0.045,
    and a correlation of 0.08.
    """
    assert ((uniforms >= 0) & (uniforms <= 1)).all(), "not in [0, 1]"
    for column, name in zip(uniforms.T, names, strict=True):
        found = scipy.stats.kstest(column, "uniform").pvalue
        assert found >= LEAST_P_VALUE, f"{name}: p-value {found:.2g}"
    centred = uniforms - 0.5
    spread = centred**2 - 1 / 12
    every = np.concatenate([centred * np.sqrt(12), spread * np.sqrt(180)], 1)
    z = every.T @ every / np.sqrt(len(uniforms))
    np.fill_diagonal(z, every.sum(0) / np.sqrt(len(uniforms)))  # of a pair with itself: the mean
    worst = np.unravel_index(np.abs(z).argmax(), z.shape)
    pair = " and ".join(names[i % len(names)] for i in worst)
    assert np.abs(z).max() <= LARGEST_Z, f"{pair} depend on each other: z = {z[worst]:.1f}"


@pytest.mark.statistical
@pytest.mark.parametrize("name", CHECKED if NUM_DRAWS > 4000 else FAST)
def test_draws_follow_their_law_and_are_independent(name):
    assert_independent_uniforms(*uniforms_of(PROGRAMS[name]))


@pytest.mark.statistical
def test_the_check_sees_what_is_wrong():
    """A scale, a shift, a shared draw, a draw of opposite sign, a spread that follows another."""
    uniforms, names = uniforms_of(PROGRAMS["vmap_unbatched"])
    normal = scipy.stats.norm

    def replaced(column, by):
        wrong = uniforms.copy()
        wrong[:, column] = by
        return wrong

    z = normal.ppf(uniforms[:, 1])
    sign = np.where(uniforms[:, 3] > 0.5, 1, -1)
    for wrong in (
        normal.cdf(1.15 * z),
        normal.cdf(z + 0.1),
        uniforms[:, 2],
        1 - uniforms[:, 2],
        0.5 + sign * (uniforms[:, 2] - 0.5),
    ):
        with pytest.raises(AssertionError):
            assert_independent_uniforms(replaced(1, wrong), names)


def test_every_program_that_says_how_is_checked():
    assert set(FAST) <= set(CHECKED)
    assert len(FAST) >= 25
