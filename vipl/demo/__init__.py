"""Four models fitted with `vipl.infer`, each beside a reference posterior: `python -m vipl`.

Read them in this order; each file holds a model, its data, its fit and its reference:

- `eight_schools`: a hierarchical model, and a quantity computed from its latent values;
- `logistic`: logistic regression with 31 weights;
- `radon`: 85 counties, 919 houses;
- `cone`: a guide written by hand, on a posterior that it cannot match.

`run` fits them, `table` prints the comparison and `picture` draws it.
"""
