"""One small instance of every distribution, kind by kind; `distribution_registry` joins them."""
