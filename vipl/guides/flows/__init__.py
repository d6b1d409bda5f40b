"""The parts of normalising flows: a bijection of each coordinate, whose parameters are a network of those before it."""
