"""A fit beside another way to the same posterior: the NUTS sampler."""
