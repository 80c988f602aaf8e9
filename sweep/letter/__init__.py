"""The published figures, what the letter says, and how near the model comes."""
