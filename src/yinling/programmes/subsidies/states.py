"""States of a subsidy: two persons decide it, a payout then pays it; two may take it back."""

from yinling.settlement.states import granted_by_two

SUBSIDY = granted_by_two("subsidy")
