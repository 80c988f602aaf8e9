"""Hits while others register, unregister, map and fork: the kernel's lifetime rules, with times."""
