"""Pages for elders and their families."""
