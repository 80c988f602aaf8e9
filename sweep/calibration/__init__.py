"""Calibration against published figures and of this host."""
