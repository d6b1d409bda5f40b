"""Models whose posterior and evidence are known in closed form, each with the posterior as a guide, by name."""
