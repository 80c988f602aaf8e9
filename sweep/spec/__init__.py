"""Specs: the registry of axes, and what a user may ask for."""
