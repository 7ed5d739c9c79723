"""Money for organisations: canteens, awards, building, running, training; donations."""
