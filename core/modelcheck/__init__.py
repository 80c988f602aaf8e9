"""Lifetime of uprobes and consumers by stage of the series: a transition system, searched whole."""
