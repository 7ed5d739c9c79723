"""Plans that place orders: siblings that do not know each other."""
