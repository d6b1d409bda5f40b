"""Sequential Monte Carlo: particles of a state-space program in lockstep, resampled before each step."""
