"""Tables of a log density: their axes, and summing them over the states of finite sites."""
