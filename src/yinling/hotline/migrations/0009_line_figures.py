"""What the figures of the line are read by, and the contracted company's own rows that only their seat or call tells (R-CALL-12)."""

from django.db import migrations, models

PROVIDER = "nullif(current_setting('yinling.provider', true), '')::bigint"
OWN = {
    "hotline_seatspan": "SELECT FROM hotline_seat s WHERE s.id = seat_id",
    "hotline_calloffer": "SELECT FROM hotline_seat s WHERE s.user_id = hotline_calloffer.seat_id",
    "hotline_callback": "SELECT FROM hotline_call s WHERE s.id = call_id",
}


def own_line(table: str, rows: str) -> str:
    """Return the SQL that lets a company read, never write, rows of its own seats and calls."""
    return (
        f"CREATE POLICY own_line ON {table} FOR SELECT TO PUBLIC USING "
        f"({PROVIDER} IS NOT NULL AND EXISTS ({rows} AND s.provider_id = {PROVIDER}))"
    )


class Migration(migrations.Migration):
    """Indexes by time, and policies."""

    dependencies = [("hotline", "0008_tickets")]

    operations = [
        migrations.AddIndex("call", models.Index(fields=["rang_at"], name="call_rang")),
        migrations.AddIndex("callback", models.Index(fields=["due_at"], name="callback_due")),
        *[
            migrations.RunSQL(own_line(table, rows), f"DROP POLICY own_line ON {table}")
            for table, rows in OWN.items()
        ],
    ]
