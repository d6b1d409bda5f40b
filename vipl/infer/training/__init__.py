"""The training: compiled steps, the plan that they follow, and what may happen between them."""
