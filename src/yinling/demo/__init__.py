"""City profiles, and the made-up city that a newcomer looks at."""
