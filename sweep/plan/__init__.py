"""From a spec to its cells: their order, identity, precision and cost."""
