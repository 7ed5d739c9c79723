"""The figures of the plans, computed from rows."""
