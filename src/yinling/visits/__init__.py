"""What happened at the door and how good it was."""
