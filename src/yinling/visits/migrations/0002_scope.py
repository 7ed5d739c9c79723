"""Row-level security of this context's tables, and the average of a provider for everybody: no more than the sum of all leaves the scope."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "visits_visit": OWN,
    "visits_checkin": {**OWN, "append_only": True},
    "visits_evidence": {**OWN, "append_only": True},
    "visits_evaluation": {**OWN, "append_only": True},
}
RATINGS = """
CREATE FUNCTION visits_ratings(area text, since timestamptz) RETURNS TABLE (provider bigint, average numeric, number bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$SELECT provider_id, avg(score), count(*) FROM visits_evaluation
  WHERE div >= area AND div < area || ':' AND evaluated_at >= since GROUP BY provider_id$$;
COMMENT ON FUNCTION visits_ratings IS 'Average and number of evaluations of each provider and nothing else, for the public list';
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("visits", "0001_initial")]

    operations = [guards(POLICIES, RATINGS)]
