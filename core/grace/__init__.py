"""Grace periods in simulated time: SRCU, RCU Tasks Trace and SRCU-fast, as SimPy processes."""
