"""Levels of ability and their validity."""
