"""Importance sampling: a density as the mean weight of particles, a posterior as a draw among them."""
