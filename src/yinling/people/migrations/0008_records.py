"""In which matters a representative acts, who may sign at the door, consents by the code of their purpose."""

from django.db import migrations, models

SIGNS = """
CREATE FUNCTION people_signs(elder bigint, as_capacity text, on_day date) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    'SELECT EXISTS (SELECT FROM people_representative WHERE elder_id = elder AND capacity = as_capacity AND covers_signing
     AND recorded_to IS NULL AND valid_from <= on_day AND (valid_to IS NULL OR valid_to > on_day))';
COMMENT ON FUNCTION people_signs IS 'Whether somebody may sign for an elder in a capacity on a day, for a carer who may not read the file';
"""
PURPOSES = {"服务与派单": "service", "健康信息共享": "health", "家属查看": "family"}


class Migration(migrations.Migration):
    """Four matters, one function for the door, and the codes."""

    dependencies = [("people", "0007_home_by_address")]

    operations = [
        *(
            migrations.AddField(model_name="representative", name=name, field=models.BooleanField(default=True))
            for name in ("covers_applications", "covers_bills", "covers_orders", "covers_signing")
        ),
        migrations.RunSQL(SIGNS, "DROP FUNCTION people_signs"),
        *(
            migrations.RunSQL(
                [("UPDATE people_consent SET purpose = %s WHERE purpose = %s", [code, name])], migrations.RunSQL.noop
            )
            for name, code in PURPOSES.items()
        ),
    ]
