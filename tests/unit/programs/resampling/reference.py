"""The laws of ancestors by their textbook formulas, in NumPy and float64, over all N^N vectors."""

import itertools

import numpy as np

WEIGHTS = {
    "one": np.array([1.0]),
    "three": np.array([0.43, 0.18, 0.39]),
    "four": np.array([0.07, 0.52, 0.11, 0.3]),
    "one without weight": np.array([0.31, 0.0, 0.55, 0.14]),
    "the ends without weight": np.array([0.0, 0.37, 0.63, 0.0]),
}


def log_weights(name):
    """Return log weights, unnormalised."""
    with np.errstate(divide="ignore"):
        return np.log(WEIGHTS[name]) + 0.7


def vectors(size):
    """Return all vectors of ancestors, `(size ** size, size)`."""
    return np.array(list(itertools.product(range(size), repeat=size)))


def pmf(scheme, log_weights, ancestors):
    """Return probabilities, `(vectors,)`, of ancestors, `(vectors, N)`."""
    weights = np.exp(log_weights - np.max(log_weights))
    weights = weights / weights.sum()
    size, edges = len(weights), np.concatenate([[0], np.cumsum(weights)])
    edges[-1] = 1.0
    slots = np.arange(size) / size
    begin, end = edges[ancestors] - slots, edges[ancestors + 1] - slots
    if scheme == "multinomial":
        return np.prod(weights[ancestors], -1)
    if scheme == "stratified":
        return np.prod(size * np.maximum(np.minimum(end, 1 / size) - np.maximum(begin, 0), 0), -1)
    return size * np.maximum(np.minimum(end.min(-1), 1 / size) - np.maximum(begin.max(-1), 0), 0)


def pmf_gradient(scheme, log_weights, ancestors, step=1e-6):
    """Return the derivatives of the probabilities in the log weights, `(vectors, N)`, by differences."""
    columns = []
    for i in range(len(log_weights)):
        up, down = ([*log_weights] for _ in range(2))
        up[i], down[i] = up[i] + step, down[i] - step
        difference = pmf(scheme, np.array(up), ancestors) - pmf(scheme, np.array(down), ancestors)
        columns.append(difference / (2 * step))
    return np.stack(columns, -1)
