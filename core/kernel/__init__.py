"""The modelled kernel: lines, operations, and the hot path of every flavour."""
