"""Plates: nested, and subsampled in three ways."""

import numpyro
import numpyro.distributions as dist
from numpyro import handlers

from numpyro_programs.case import normal


def nested_plates(table):
    rows, columns = numpyro.plate("rows", 2, dim=-2), numpyro.plate("columns", 3, dim=-1)
    with rows:
        row = numpyro.sample("row", dist.Normal(0.0, 1.0))
    with columns:
        column = numpyro.sample("column", dist.Normal(0.0, 1.0))
    with rows, columns:
        numpyro.sample("cell", dist.StudentT(5.0, row + column, 1.0), obs=table)


def nested_plates_guide(table):
    with numpyro.plate("rows", 2, dim=-2):
        normal("row", shape=(2, 1))
    with numpyro.plate("columns", 3, dim=-1):
        normal("column", shape=(3,))


def subsampled(y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    with numpyro.plate("data", len(y), subsample_size=2) as index:
        z = numpyro.sample("z", dist.Normal(mu, 1.0))
        numpyro.sample("y", dist.Normal(z, 1.0), obs=y[index])


def subsampled_guide(y):
    normal("mu")
    with numpyro.plate("data", len(y), subsample_size=2):
        loc = numpyro.param("z_loc", 0.5 * y, event_dim=0)
        numpyro.sample("z", dist.Normal(loc, 0.7))


def subsampled_data(y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    with numpyro.plate("data", len(y), subsample_size=3):
        batch = numpyro.subsample(y, event_dim=0)
        numpyro.sample("y", dist.Normal(mu, 1.0), obs=batch)


def subsampled_data_guide(y):
    with numpyro.plate("data", len(y), subsample_size=3):
        pass
    normal("mu")


def scaled(y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    with handlers.scale(scale=2.5), numpyro.plate("data", len(y), subsample_size=3) as index:
        z = numpyro.sample("z", dist.Normal(mu, 1.0))
        numpyro.sample("y", dist.Normal(z, 1.0), obs=y[index])
        numpyro.factor("pull", -0.1 * z**2)


def scaled_guide(y):
    normal("mu")
    with handlers.scale(scale=2.5), numpyro.plate("data", len(y), subsample_size=3):
        numpyro.sample("z", dist.Normal(numpyro.param("z_loc", 0.2), 0.7))
