"""Draws of a fitted guide: of new data, and weighed against the model."""
