"""Bayesian logistic regression: is a breast tumour benign, from 30 measurements of its cells?

The measurements are strongly correlated, and so is the posterior. A mean-field guide finds its means and
understates its spread by half; k̂ says so.
"""

import numpy as np

import vipl
import vipl.distributions as dist
from vipl.demo.reference import read

TITLE = "logistic regression"
SHOWN = ("intercept", "weights[0]", "weights[10]", "weights[21]", "weights[28]")
DRAWN = ("intercept", "weights[0]", "weights[10]", "weights[21]", "weights[28]")


@vipl.program
def logistic_regression(x, y=None):
    """Outcomes `y` of 0 and 1, `(n,)`, given covariates `x`, `(n, d)`."""
    intercept = vipl.sample("intercept", dist.Normal(0.0, 1.0))
    with vipl.plate("covariate", x.shape[1]):
        weights = vipl.sample("weights", dist.Normal(0.0, 1.0))
    with vipl.plate("patient", x.shape[0]):
        vipl.sample("y", dist.Bernoulli(logits=intercept + x @ weights), obs=y)


def load() -> dict:
    """Return the data by the names of the model's arguments; each covariate has mean 0 and sd 1.

    Needs scikit-learn, whose breast-cancer data these are: 569 patients, 30 covariates, y = 1 for benign.
    """
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return {"x": x.astype(np.float32), "y": y}


def fit(key, **options) -> vipl.Posterior:
    """Fit a mean-field guide, with ten draws in each step for a quieter gradient."""
    return vipl.infer(logistic_regression(**load()), key=key, num_samples=10, **options)


def draws(posterior, key, num_samples: int) -> dict:
    """Return draws of the parameters that the reference has."""
    return posterior.sample(key, num_samples)


def reference() -> dict:
    """Return moments and quantiles of the posterior, from a long run of NUTS."""
    return read("logistic")["reference"]
