"""A planned objective is run: sums of terms, sample axes, and the weights that they meet at the end."""
