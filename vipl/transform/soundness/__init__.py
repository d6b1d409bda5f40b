"""Where a gradient would be silently wrong: values that jump, estimates that are used as if they were exact."""
