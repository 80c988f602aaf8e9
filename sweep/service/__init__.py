"""Sweeps that a cluster runs by itself: what is sent to it, and what it says of them."""
