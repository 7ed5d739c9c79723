"""Contracts of elders with family doctors, and what their packages pay for."""
