"""Screens and API: one query or one operation, then render."""
