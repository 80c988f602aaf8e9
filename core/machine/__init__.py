"""Machines: topology, clocks, and what moving a cache line costs."""
