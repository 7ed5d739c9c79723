"""Formats of dates and numbers, one module for each language."""
