"""Adapters of the ports to others: the only place that talks to the network."""
