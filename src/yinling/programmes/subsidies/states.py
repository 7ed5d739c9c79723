"""States of a subsidy: two persons decide it, a payout then pays it."""

from yinling.settlement.states import DecisionState, decided_by_two

SUBSIDY = decided_by_two("subsidy", DecisionState)
