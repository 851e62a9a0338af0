"""What measurements mean: scores, effects of parameters, the verdict and the result."""
