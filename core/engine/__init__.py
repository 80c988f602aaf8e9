"""The engine: simulated CPUs (bound), the interconnect (weave), and the run of one cell."""
