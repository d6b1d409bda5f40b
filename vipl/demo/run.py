"""The demo as a command: fit the models, print the table, save the picture.

It runs what can be run, and says what is left out: without scikit-learn there are no data for the logistic
regression, without matplotlib there is no picture.
"""

from __future__ import annotations

import importlib.util
import pathlib
import time

import jax

from vipl.demo import cone, eight_schools, logistic, radon
from vipl.demo.comparison import Comparison, by_element
from vipl.demo.picture import save_picture
from vipl.demo.table import table, verdicts

MODELS = (eight_schools, logistic, radon, cone)
NUM_DRAWS = 4000
PICTURE = "vipl_demo.png"


def main(seed: int = 0, folder: str | pathlib.Path = ".", progress: bool = True) -> list[Comparison]:
    """Run the whole demo.

    Args:
        seed: of the random key that the fits share.
        folder: where to save the picture.
        progress: show progress bars.

    Returns:
        The comparisons, as printed.
    """
    began = time.perf_counter()
    models = [model for model in MODELS if model is not logistic or _installed("sklearn")]
    comparisons = []
    for model, key in zip(models, jax.random.split(jax.random.key(seed), len(models)), strict=True):
        print(f"fitting {model.TITLE} …", flush=True)
        comparisons.append(fit_and_compare(model, key, progress=progress))
    print(f"\n{table(comparisons)}\n\n{verdicts(comparisons)}\n")
    if logistic not in models:
        print("Left out: logistic regression, which needs scikit-learn. To have it: pip install scikit-learn")
    if _installed("matplotlib"):
        path = pathlib.Path(folder) / PICTURE
        save_picture(comparisons, str(path))
        print(f"Picture: {path.resolve()}")
    else:
        print("Left out: the picture, which needs matplotlib. To have it: pip install matplotlib")
    print(f"Everything took {time.perf_counter() - began:.0f} s.")
    return comparisons


def fit_and_compare(model, key, progress: bool = False) -> Comparison:
    """Fit one of the demo's models and set it beside its reference.

    Args:
        model: its module, such as `vipl.demo.radon`.
        key: a key.
        progress: show a progress bar.
    """
    key_fit, key_draws = jax.random.split(key)
    began = time.perf_counter()
    posterior = model.fit(key_fit, progress=progress)
    jax.block_until_ready(posterior.params)
    seconds = time.perf_counter() - began
    draws = by_element(model.draws(posterior, key_draws, NUM_DRAWS))
    reference = model.reference()
    return Comparison(model, posterior, {name: draws[name] for name in reference}, reference, seconds)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
