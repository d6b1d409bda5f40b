"""The faults that users commit and what vipl must do about each. `python -m tests.faults` prints them."""
