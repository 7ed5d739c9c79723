"""What can be ordered, by whom, at which price."""
