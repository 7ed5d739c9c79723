"""Where a need comes in: calls and tickets."""
