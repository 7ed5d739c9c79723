"""How property tests are run: alike with every change, so that none fails by chance or on a busy machine; with very many seeds when it is to
be proved (`./run prove`)."""

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

settings.register_profile("alike", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("prove", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.load_profile("alike")
