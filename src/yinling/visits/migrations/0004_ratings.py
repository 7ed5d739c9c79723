"""The average of a provider's evaluations, for everybody: no more than the sum of all leaves the scope."""

from django.db import migrations

RATINGS = """
CREATE FUNCTION visits_ratings(area text, since timestamptz) RETURNS TABLE (provider bigint, average numeric, number bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$SELECT provider_id, avg(score), count(*) FROM visits_evaluation
  WHERE div >= area AND div < area || ':' AND evaluated_at >= since GROUP BY provider_id$$;
COMMENT ON FUNCTION visits_ratings IS 'Average and number of evaluations of each provider and nothing else, for the public list';
"""


class Migration(migrations.Migration):
    """What only SQL can say."""

    dependencies = [("visits", "0003_no_way_back")]

    operations = [migrations.RunSQL(RATINGS, migrations.RunSQL.noop)]
