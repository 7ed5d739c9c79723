"""How many examples a property test tries: a few with every run, many when it is to be proved (`./run prove`)."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "prove", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
