"""Reads of people, one file per question; everything a later step needs is here by name."""

from yinling.people.queries.acting import (
    capacity_of,
    linked_elder_ids,
    may_sign,
    representation,
    representatives_ending,
)
from yinling.people.queries.campaigns import campaigns, coverage, not_asked, to_be_asked
from yinling.people.queries.consents import (
    ConsentText,
    consent_text,
    consent_texts,
    consent_withdrawn,
    consents_due,
    consents_of,
)
from yinling.people.queries.files import (
    Choice,
    ContactLine,
    ElderFile,
    age,
    circumstances_on,
    elder_file,
    elders,
    kinds_of,
)
from yinling.people.queries.health import (
    follow_up_days,
    follow_ups,
    grade_terms,
    has_health_consent,
    health_alerts,
    health_facts,
    health_part,
    next_check,
)
from yinling.people.queries.homes import Homes, homes_by_body
from yinling.people.queries.households import HouseholdFile, household_file
from yinling.people.queries.labels import hardship_kinds, is_great_age, labels_on, verification_due
from yinling.people.queries.merging import Pair, Pairs, kept_file, merged_numbers, merges_into
from yinling.people.queries.search import elders_by_phone, find_elders
from yinling.people.queries.stops import stopped_elders, stopping_facts, stops_of

__all__ = [
    "Choice",
    "ConsentText",
    "ContactLine",
    "ElderFile",
    "Homes",
    "HouseholdFile",
    "Pair",
    "Pairs",
    "age",
    "campaigns",
    "capacity_of",
    "circumstances_on",
    "consent_text",
    "consent_texts",
    "consent_withdrawn",
    "consents_due",
    "consents_of",
    "coverage",
    "elder_file",
    "elders",
    "elders_by_phone",
    "find_elders",
    "follow_up_days",
    "follow_ups",
    "grade_terms",
    "hardship_kinds",
    "has_health_consent",
    "health_alerts",
    "health_facts",
    "health_part",
    "homes_by_body",
    "household_file",
    "is_great_age",
    "kept_file",
    "kinds_of",
    "labels_on",
    "linked_elder_ids",
    "may_sign",
    "merged_numbers",
    "merges_into",
    "next_check",
    "not_asked",
    "representation",
    "representatives_ending",
    "stopped_elders",
    "stopping_facts",
    "stops_of",
    "to_be_asked",
    "verification_due",
]
