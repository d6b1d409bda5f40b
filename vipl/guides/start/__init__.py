"""Where the posterior is, roughly: the coordinates in which guides are trained, and where they start."""
