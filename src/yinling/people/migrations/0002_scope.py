"""Row-level security of this context's tables, and what a carer at the door may ask without the file."""

from django.db import migrations

from yinling.ground.installing import guards
from yinling.ground.scope import audit_policy, division_sql, revoke_sql

SCOPE = "nullif(current_setting('yinling.scope', true), '')"
OWN_HOME = "SELECT household_id FROM people_elder WHERE id = ANY (nullif(current_setting('yinling.elders', true), '')::bigint[])"
OWN = {"elder": "elder_id"}
POLICIES = {
    "people_elder": {"elder": "id"},
    "people_elderkey": {},
    "people_contact": OWN,
    "people_representative": {**OWN, "user": "user_id"},
    "people_consent": OWN,
    "people_circumstance": OWN,
    "people_source": {},
    "people_import": {},
    "people_importline": {},
    "people_merge": {},
    "people_healthfact": OWN,
    "people_surveyanswer": {},
    "people_elderevent": {"elder": "pgh_obj_id"},
    "people_householdevent": {},
    "people_contactevent": OWN,
}
# What triggers write is only added to.
EVENTS = ("people_elderevent", "people_householdevent", "people_contactevent")
# A home is also seen by those who live there; a campaign of the city also in its districts.
WIDER = f"""
ALTER TABLE people_household ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON people_household FOR ALL TO PUBLIC
    USING ({division_sql()} OR id = ANY (ARRAY({OWN_HOME}))) WITH CHECK ({division_sql()});
{audit_policy("people_household")};
ALTER TABLE people_campaign ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON people_campaign FOR ALL TO PUBLIC
    USING ({division_sql()} OR starts_with({SCOPE}, div)) WITH CHECK ({division_sql()});
{audit_policy("people_campaign")};
"""
DOOR = """
CREATE FUNCTION people_death(elder bigint) RETURNS date LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    'SELECT died_on FROM people_elder WHERE id = elder';
COMMENT ON FUNCTION people_death IS 'The date of death of one elder and nothing else, for a carer who may not read the file';
CREATE FUNCTION people_signs(elder bigint, as_capacity text, on_day date) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    'SELECT EXISTS (SELECT FROM people_representative WHERE elder_id = elder AND capacity = as_capacity AND covers_signing
     AND recorded_to IS NULL AND valid_from <= on_day AND (valid_to IS NULL OR valid_to > on_day))';
COMMENT ON FUNCTION people_signs IS 'Whether somebody may sign for an elder in a capacity on a day, for a carer who may not read the file';
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("people", "0001_initial")]

    operations = [guards(POLICIES, *map(revoke_sql, EVENTS), WIDER, DOOR)]
