"""The elders, their households, contacts and circumstances."""
