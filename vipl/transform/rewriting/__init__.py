"""Changes to an objective before it is planned: sums taken out of loops, short loops written out."""
