"""Row-level security stands before every table that says where a row happened."""

import pytest
from django.db import connection
from tests.shape.houses import our_models

from yinling.ground.models import Scoped

pytestmark = pytest.mark.django_db

UNPROTECTED = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relname = ANY (%s)
      AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policies p WHERE p.tablename = c.relname AND p.policyname = 'scope'))
"""
WITH_DIVISION = """
    SELECT a.attrelid::regclass::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attname = 'div'
"""
OPEN_VIEWS = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relname <> 'pg_stat_statements' AND c.relname <> 'pg_stat_statements_info'
      AND (c.relkind = 'm' OR c.relkind = 'v' AND NOT coalesce(c.reloptions::text, '') LIKE '%security_invoker=true%')
"""
# The map, prices, public contracts and the policies that pay are published; grants must be read before a scope is known.
OPEN = {
    "assessment_commission",
    "assessment_recognition",
    "assessment_scaleconfirmation",
    "catalogue_package",
    "catalogue_price",
    "catalogue_pricelist",
    "directory_area",
    "directory_grant",
    "directory_organisation",
    "directory_servicearea",
    "directory_site",
    "entitlements_scheme",
}


def column(sql: str, *arguments: object) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(arguments) or None)
        return {row[0] for row in cursor.fetchall()}


def test_every_scoped_model_has_a_policy() -> None:
    tables = [model._meta.db_table for model in our_models() if issubclass(model, Scoped)]
    assert column(UNPROTECTED, tables) == set()


def test_every_table_with_a_division_has_a_policy() -> None:
    """Tables of history hold the same personal data as their model."""
    assert column(UNPROTECTED, sorted(column(WITH_DIVISION) - OPEN)) == set()


def test_no_view_shows_what_its_reader_may_not_see() -> None:
    assert column(OPEN_VIEWS) == set()


def test_the_role_that_serves_cannot_change_what_is_append_only() -> None:
    tables = {
        model._meta.db_table
        for model in our_models()
        if (model.__name__.endswith("Event") and hasattr(model, "pgh_obj_id"))
        or any(trigger.name == "append_only" for trigger in getattr(model._meta, "triggers", []))
    }
    changeable = column(
        "SELECT name FROM unnest(%s::text[]) name "
        "WHERE has_table_privilege('yl_app', name, 'UPDATE') OR has_table_privilege('yl_app', name, 'DELETE')",
        sorted(tables),
    )
    assert "accounts_journal" in tables
    assert changeable == set()


def test_the_role_that_serves_is_under_the_policies() -> None:
    rows = column("SELECT rolname FROM pg_roles WHERE rolname = 'yl_app' AND (rolsuper OR rolbypassrls)")
    owned = column("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = 'yl_app'")
    assert (rows, owned) == (set(), set())
