"""How long the way takes."""
