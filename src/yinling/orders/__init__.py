"""What is to be done for whom, by whom, at whose cost."""
