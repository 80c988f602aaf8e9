"""Calibration: cost parameters from published curves of primitives, then from a few cells."""
