"""Writing, one file per noun."""
