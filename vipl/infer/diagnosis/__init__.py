"""Whether a fit worked: what `Posterior.diagnose` gathers, and how it is judged."""
