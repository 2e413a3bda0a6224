"""Counting what the market did, every night. Counting twice is the same as counting once."""

import datetime as dt
import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from accounts.models import ProfileSkill
from marketplace.core import clock
from matching.insight.models import CountedNight, SkillMonth, SkillYear
from matching.insight.selectors.nights import months_before
from matching.insight.selectors.people import stand_ins
from matching.selectors.documents import findable
from payments.models import PlatformPolicy
from payments.services import policies

# Two countings at once take turns.
LOCK = 727_018
NIGHTS_KEPT = 30

# Finished for what was agreed: nothing called off counts, and work that was settled for less says
# little about what such work costs. Nor does work that somebody did for their own company.
PRICES = """
    INSERT INTO matching_finishedprice
        (contract_id, project_id, client_id, freelancer_id, currency, price_minor, skills)
    SELECT contract.id, contract.project_id, contract.client_id, contract.freelancer_id,
           contract.currency, paid.minor, asked.skills
    FROM projects_contract contract
    CROSS JOIN LATERAL (
        SELECT sum(amount_minor) AS minor, bool_or(status = 'settled') AS settled
        FROM projects_milestone
        WHERE contract_id = contract.id AND status <> 'cancelled'
    ) paid
    CROSS JOIN LATERAL (
        SELECT array_agg(skill_id) AS skills FROM projects_project_skills
        WHERE project_id = contract.project_id
    ) asked
    WHERE contract.status = 'completed'
      AND contract.ended_at >= %(since)s AND contract.ended_at < %(until)s
      AND paid.minor > 0 AND NOT paid.settled AND asked.skills IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM accounts_membership hires JOIN accounts_membership works USING (user_id)
          WHERE hires.party_id = contract.client_id AND works.party_id = contract.freelancer_id
      )
"""
# The floors count people, so whoever has several companies is one client and one freelancer.
PEOPLE = """
    UPDATE matching_finishedprice SET {side} = stands.party
    FROM unnest(%(parties)s::bigint[], %(stand_ins)s::bigint[]) AS stands (alias, party)
    WHERE {side} = stands.alias
"""

# Rounded to two figures where it is read. A currency below the floors, or where one party has more
# than a third of the milestones, has no row.
USUAL = """
    WITH steps AS (
        SELECT price.currency, price.contract_id, price.client_id, price.freelancer_id,
               step.amount_minor,
               count(*) OVER (PARTITION BY price.currency, price.client_id) AS of_client,
               count(*) OVER (PARTITION BY price.currency, price.freelancer_id) AS of_freelancer
        FROM matching_finishedprice price
        JOIN projects_milestone step
          ON step.contract_id = price.contract_id AND step.status <> 'cancelled'
    )
    INSERT INTO matching_usualmilestone (currency, median_minor, milestones)
    SELECT currency, percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor), count(*)
    FROM steps
    GROUP BY currency
    HAVING count(DISTINCT contract_id) >= %(contracts)s
       AND count(DISTINCT client_id) >= %(people)s
       AND count(DISTINCT freelancer_id) >= %(people)s
       AND 3 * greatest(max(of_client), max(of_freelancer)) <= count(*)
"""

# Postings of listed skills and what became of them; `month` is null where it is not asked for.
ASKED = """
    WITH asked AS (
        SELECT project.id, project.client_id, wanted.skill_id,
               CASE WHEN %(by_month)s
                    THEN date_trunc('month', project.published_at AT TIME ZONE 'UTC')::date
               END AS month,
               EXISTS (SELECT 1 FROM projects_contract WHERE project_id = project.id) AS hired
        FROM projects_project project
        JOIN projects_project_skills wanted ON wanted.project_id = project.id
        JOIN accounts_skill skill ON skill.id = wanted.skill_id AND skill.state = 'curated'
        WHERE project.published_at >= %(since)s AND project.published_at < %(until)s
    ), posted AS (
        SELECT skill_id, month, count(*) AS posted, count(DISTINCT client_id) AS clients,
               count(*) FILTER (WHERE hired) AS hired
        FROM asked GROUP BY skill_id, month
    ), sent AS (
        SELECT asked.skill_id, asked.month, count(*) AS bids,
               count(DISTINCT bid.freelancer_id) AS bidders
        FROM asked JOIN projects_bid bid ON bid.project_id = asked.id AND bid.status <> 'withdrawn'
        GROUP BY asked.skill_id, asked.month
    )
"""
INTO_MONTHS = """
    INSERT INTO matching_skillmonth
        (skill_id, month, posted, clients, bids, bidders, hired, available)
    SELECT posted.skill_id, posted.month, posted.posted, posted.clients,
           coalesce(sent.bids, 0), coalesce(sent.bidders, 0), posted.hired, NULL
    FROM posted LEFT JOIN sent USING (skill_id, month)
    ON CONFLICT (skill_id, month) DO UPDATE SET
        posted = EXCLUDED.posted, clients = EXCLUDED.clients, bids = EXCLUDED.bids,
        bidders = EXCLUDED.bidders, hired = EXCLUDED.hired
"""

INTO_YEARS = """
    INSERT INTO matching_skillyear (skill_id, posted, clients, bids, bidders, hired, available)
    SELECT posted.skill_id, posted.posted, posted.clients, coalesce(sent.bids, 0),
           coalesce(sent.bidders, 0), posted.hired, 0
    FROM posted LEFT JOIN sent USING (skill_id)
"""

PAIRS = """
    WITH asked AS (
        SELECT project.id, project.client_id, wanted.skill_id
        FROM projects_project project
        JOIN projects_project_skills wanted ON wanted.project_id = project.id
        JOIN accounts_skill skill ON skill.id = wanted.skill_id AND skill.state = 'curated'
        WHERE project.published_at >= %(since)s AND project.published_at < %(until)s
    ), alone AS (
        SELECT skill_id, count(*) AS n FROM asked GROUP BY skill_id
    ), everything AS (
        SELECT count(DISTINCT id) AS n FROM asked
    ), paired AS (
        SELECT one.skill_id, two.skill_id AS other_id, count(*) AS together
        FROM asked one JOIN asked two ON two.id = one.id AND two.skill_id <> one.skill_id
        GROUP BY one.skill_id, two.skill_id
        HAVING count(DISTINCT one.client_id) >= %(people)s
    ), lifted AS (
        SELECT paired.*, one.n AS asked,
               paired.together::float8 * everything.n / (one.n::float8 * two.n) AS lift
        FROM paired
        JOIN alone one ON one.skill_id = paired.skill_id
        JOIN alone two ON two.skill_id = paired.other_id
        CROSS JOIN everything
    )
    INSERT INTO matching_skillpair (skill_id, other_id, together, asked, lift, weight)
    SELECT skill_id, other_id, together, asked, lift, together * ln(lift)
    FROM lifted WHERE lift > 1
"""


def count_night() -> CountedNight:
    """Count everything anew, up to the last midnight (UTC).

    Nobody reads half of it: all of it happens in one transaction.
    """
    started, now = time.monotonic(), clock.now()
    policy = policies.current()
    until = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        prices = _count_prices(cursor, policy, until)
        months = _count_demand(cursor, policy, until)
        _count_supply(months_before(now.date(), 0))
        pairs = _count_pairs(cursor, policy, until)
        night = CountedNight.objects.create(
            at=now,
            until=until,
            prices=prices,
            months=months,
            pairs=pairs,
            took_ms=round((time.monotonic() - started) * 1000),
        )
        old = CountedNight.objects.order_by("-pk").values_list("pk", flat=True)[NIGHTS_KEPT:]
        CountedNight.objects.filter(pk__in=list(old)).delete()
    return night


def _count_prices(cursor: Any, policy: PlatformPolicy, until: dt.datetime) -> int:
    first = months_before(until.date(), policy.insight_months)
    floors = {"contracts": policy.insight_contracts, "people": policy.insight_people}
    cursor.execute("DELETE FROM matching_usualmilestone")
    cursor.execute("DELETE FROM matching_finishedprice")
    cursor.execute(PRICES, {"since": _midnight(first), "until": until})
    found = int(cursor.rowcount)
    stands = stand_ins()
    aliases = {"parties": list(stands), "stand_ins": list(stands.values())}
    for side in ("client_id", "freelancer_id"):
        cursor.execute(PEOPLE.format(side=side), aliases)
    cursor.execute(USUAL, floors)
    return found


def _count_demand(cursor: Any, policy: PlatformPolicy, until: dt.datetime) -> int:
    first = months_before(until.date(), policy.insight_months)
    # Who was free in a month nobody can count again, so these rows are emptied and not dropped.
    SkillMonth.objects.filter(month__lt=first).delete()
    SkillMonth.objects.update(posted=0, clients=0, bids=0, bidders=0, hired=0)
    cursor.execute(
        ASKED + INTO_MONTHS, {"since": _midnight(first), "until": until, "by_month": True}
    )
    found = int(cursor.rowcount)
    cursor.execute("DELETE FROM matching_skillyear")
    cursor.execute(
        ASKED + INTO_YEARS, {"since": _a_year_before(until), "until": until, "by_month": False}
    )
    return found


def _count_supply(month: dt.date) -> None:
    """Freelancers who may be shown and take work, by the listed skills on their profile."""
    rows = ProfileSkill.objects.filter(profile__in=findable(), skill__state="curated").values_list(
        "skill"
    )
    counted = dict(rows.annotate(n=Count("pk")))
    # A skill that nobody has any more has none this month, whatever it had yesterday.
    SkillMonth.objects.filter(month=month).update(available=0)
    SkillMonth.objects.bulk_create(
        [SkillMonth(skill_id=skill, month=month, available=n) for skill, n in counted.items()],
        update_conflicts=True,
        unique_fields=["skill", "month"],
        update_fields=["available"],
        batch_size=1000,
    )
    years = list(SkillYear.objects.filter(skill__in=counted))
    for year in years:
        year.available = counted[year.skill_id]
    SkillYear.objects.bulk_update(years, ["available"], batch_size=1000)


def _count_pairs(cursor: Any, policy: PlatformPolicy, until: dt.datetime) -> int:
    cursor.execute("DELETE FROM matching_skillpair")
    cursor.execute(
        PAIRS,
        {"since": _a_year_before(until), "until": until, "people": policy.insight_people},
    )
    return int(cursor.rowcount)


def _a_year_before(until: dt.datetime) -> dt.datetime:
    return until - dt.timedelta(days=365)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)
