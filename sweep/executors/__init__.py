"""Ways to get cells simulated: in this process, or on a Ray cluster."""
