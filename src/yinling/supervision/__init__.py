"""Abnormal orders, holds and releases."""
