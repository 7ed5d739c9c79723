"""Who acts: the values a decision needs of the person, job or device behind a request."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """One user acting in one role. ``div`` is a trimmed division code; None means no area of one's own.

    ``elder_ids`` are the elders this person is or represents, ``withheld`` the (elder, right) that a representation does not give;
    ``staff_id`` the carer, nurse or doctor this login belongs to.
    """

    user_id: int | None
    name: str
    role: str
    rights: frozenset[str] = frozenset()
    div: str | None = None
    organisation_id: int | None = None
    elder_ids: tuple[int, ...] = ()
    withheld: frozenset[tuple[int, str]] = frozenset()
    staff_id: int | None = None
    grant_id: int | None = None
    request_id: str = ""
    is_system: bool = field(default=False)

    def has(self, right: str) -> bool:
        """Whether the role carries the right, whatever the row."""
        return right in self.rights

    def acts_for(self, elder_id: int | None, right: str) -> bool:
        """Whether the person is or represents an elder, and in the matter that a right belongs to."""
        return elder_id in self.elder_ids and (elder_id, right) not in self.withheld

    def covers(self, div: str) -> bool:
        """Whether a division lies in the area of the actor."""
        return self.div is not None and (div == self.div or (div > self.div and div.startswith(self.div)))
