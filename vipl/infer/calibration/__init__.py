"""Simulation-based calibration: is a way of fitting right for data that the model itself makes."""
