"""Estimators that draw from a finite support without repeating themselves."""
