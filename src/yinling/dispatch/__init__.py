"""Who goes when."""
