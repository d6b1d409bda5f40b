"""A program in stages: found before anything runs, run forwards for the evidence and backwards for a draw."""
