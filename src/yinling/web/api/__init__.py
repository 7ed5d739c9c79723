"""The JSON API: the same operations, rights and refusals as the screens."""
