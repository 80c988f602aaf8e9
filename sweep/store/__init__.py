"""What a run leaves on disk or in an object store, and how it is read."""
