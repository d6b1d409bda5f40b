"""Other libraries: their models in vipl, and vipl's programs in them."""
