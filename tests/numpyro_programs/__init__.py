"""Models and guides as their authors write them for NumPyro: one for each thing that a program of it may use."""

import functools

from numpyro_programs.case import BINARY, COUNTS, MASK, PAIRS, SIGMA, TABLE, Case, X, Y, mu_guide, normal
from numpyro_programs.handled import (
    given,
    masked,
    masked_distribution,
    reparameterised,
    scoped,
    scoped_guide,
    transformed,
)
from numpyro_programs.loops import (
    branching,
    branching_guide,
    conditioned_scan,
    python_loop,
    python_loop_guide,
    scaled_state_space_guide,
    state_space,
    state_space_guide,
)
from numpyro_programs.plain import (
    amortised,
    amortised_guide,
    automatic,
    correlated,
    correlated_guide,
    discrete,
    discrete_guide,
    eight_schools,
    eight_schools_guide,
    improper,
    improper_guide,
    regression,
    regression_guide,
)
from numpyro_programs.plates import (
    nested_plates,
    nested_plates_guide,
    scaled,
    scaled_guide,
    subsampled,
    subsampled_data,
    subsampled_data_guide,
    subsampled_guide,
)

CASES = [
    Case("eight schools", eight_schools, eight_schools_guide, (SIGMA, Y)),
    Case(
        "reparam handler",
        reparameterised,
        functools.partial(eight_schools_guide, theta="theta_decentered"),
        (SIGMA, Y),
    ),
    Case("transform reparam", transformed, lambda y: normal("x_base"), (Y,)),
    Case("regression", regression, regression_guide, (X, Y)),
    Case("automatic guide", regression, automatic(regression, X, Y), (X, Y)),
    Case("nested plates", nested_plates, nested_plates_guide, (TABLE,)),
    Case("subsampled plate", subsampled, subsampled_guide, (Y,)),
    Case("subsample statement", subsampled_data, subsampled_data_guide, (Y,)),
    Case("scale handler", scaled, scaled_guide, (Y,)),
    Case("mask handler", masked, mu_guide, (Y, MASK)),
    Case("masked distribution", masked_distribution, mu_guide, (Y, MASK)),
    Case("discrete latents", discrete, discrete_guide, (Y,)),
    Case("correlation", correlated, correlated_guide, (PAIRS,)),
    Case("Python loop", python_loop, python_loop_guide, (COUNTS[:4],)),
    Case("scan", state_space, state_space_guide, (Y,)),
    Case("conditioned scan", conditioned_scan, scaled_state_space_guide, (Y,)),
    Case("cond", branching, branching_guide, (Y,), replays=False),
    Case("improper priors", improper, improper_guide, (Y,)),
    Case("amortised guide", amortised, amortised_guide, (BINARY,)),
    Case("scope handler", scoped, scoped_guide, (Y,)),
    Case("condition, substitute, seed and block", given, mu_guide, (Y,)),
]
