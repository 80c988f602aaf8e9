"""The simulated machine and kernel. Pure: no Ray, no output, nothing of `sweep`."""

MODEL_VERSION = "8"
"""Raised whenever the same cell would give other numbers; part of every cell's identity."""
