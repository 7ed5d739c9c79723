"""Reads that cross contexts: only screens need them."""
