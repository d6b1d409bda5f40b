"""Exact inference: finite latent sites are summed out, one after the other."""
