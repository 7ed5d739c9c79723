"""The made-up city."""

from tests.demo.fixtures import demo_city, demo_database

__all__ = ["demo_city", "demo_database"]
