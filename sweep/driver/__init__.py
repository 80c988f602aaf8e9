"""A run: what is not there yet is simulated and stored."""
