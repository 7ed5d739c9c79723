"""Pure Python under everything else: no Django, no clock, no network."""
