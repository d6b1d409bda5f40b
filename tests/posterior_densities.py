"""Posteriors of `examples/posteriors` written a second time, in NumPy and SciPy, up to a constant.

Each is a function of the data and of the parameters that the reference names. Regressions with a normal posterior given
sigma are not here: they have exact answers.
"""

import numpy as np
from scipy import stats
from scipy.integrate import solve_ivp


def ark(data, alpha, beta, sigma):
    y = np.array(data["y"])
    mean = [alpha + sum(beta[k] * y[t - 1 - k] for k in range(5)) for t in range(5, 200)]
    prior = stats.norm(0, 10).logpdf([alpha, *beta]).sum() + stats.halfcauchy(0, 2.5).logpdf(sigma)
    return prior + stats.norm(mean, sigma).logpdf(y[5:]).sum()


def eight_schools(data, theta, mu, tau):
    prior = stats.norm(0, 5).logpdf(mu) + stats.halfcauchy(0, 5).logpdf(tau) + stats.norm(mu, tau).logpdf(theta).sum()
    return prior + stats.norm(theta, data["sigma"]).logpdf(data["y"]).sum()


def garch(data, mu, alpha0, alpha1, beta1):
    variance, total = data["sigma1"] ** 2, 0.0
    for y in data["y"]:
        total += stats.norm(mu, np.sqrt(variance)).logpdf(y)
        variance = alpha0 + alpha1 * (y - mu) ** 2 + beta1 * variance
    return total


def gaussian_mixture(data, mu, sigma, theta):
    prior = stats.norm(0, 2).logpdf(mu).sum() + stats.halfnorm(0, 2).logpdf(sigma).sum()
    prior += stats.beta(5, 5).logpdf(theta)
    first, second = (stats.norm(mu[k], sigma[k]).pdf(data["y"]) for k in range(2))
    return prior + np.log(theta * first + (1 - theta) * second).sum()


def gaussian_process(data, rho, alpha, sigma):
    x = np.array(data["x"])
    covariance = alpha**2 * np.exp(-((x[:, None] - x) ** 2) / (2 * rho**2)) + sigma * np.eye(len(x))
    prior = stats.gamma(25, scale=1 / 4).logpdf(rho) + stats.halfnorm(0, 2).logpdf(alpha) + stats.halfnorm.logpdf(sigma)
    return prior + stats.multivariate_normal(np.zeros(len(x)), covariance).logpdf(data["y"])


def hidden_markov(data, theta1, theta2, mu):
    first, *rest = stats.norm(mu, 1).pdf(np.array(data["y"])[:, None])
    weights, total = first, 0.0
    for emission in rest:
        weights = (weights @ np.array([theta1, theta2])) * emission
        total, weights = total + np.log(weights.sum()), weights / weights.sum()
    return stats.norm([3, 10], 1).logpdf(mu).sum() + total


def lotka_volterra(data, theta, z_init, sigma):
    def growth(t, z):
        return [(theta[0] - theta[1] * z[1]) * z[0], (-theta[2] + theta[3] * z[0]) * z[1]]

    z = solve_ivp(growth, (0, 20), z_init, t_eval=data["ts"], rtol=1e-11, atol=1e-11, method="DOP853").y.T
    prior = stats.norm([1, 0.05, 1, 0.05], [0.5, 0.05, 0.5, 0.05]).logpdf(theta).sum()
    prior += log_normal(sigma, np.exp(-1), 1).sum() + log_normal(z_init, 10, 1).sum()
    return prior + log_normal(data["y_init"], z_init, sigma).sum() + log_normal(np.array(data["y"]), z, sigma).sum()


def log_normal(value, median, sigma):
    return stats.lognorm(sigma, scale=median).logpdf(value)


DENSITIES = {
    "ark": ark,
    "eight_schools_centered": eight_schools,
    "eight_schools_noncentered": eight_schools,
    "garch": garch,
    "gaussian_mixture": gaussian_mixture,
    "gaussian_process": gaussian_process,
    "hidden_markov": hidden_markov,
    "lotka_volterra": lotka_volterra,
}
