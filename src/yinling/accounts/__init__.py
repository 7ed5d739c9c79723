"""Who acts, and what was done."""
