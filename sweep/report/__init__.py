"""Tables, comparisons, pictures and explanations of runs."""
