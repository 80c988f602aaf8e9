"""Machines by name, by file, and this host."""
