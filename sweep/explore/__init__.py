"""A page on which predictions are asked for and answered at once."""
