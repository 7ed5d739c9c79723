"""Who acts: the values a decision needs of the person, job or device behind a request."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """One user acting in one role. ``div`` is a trimmed division code; None means no area of one's own.

    ``elder_ids`` are the elders this person is or represents; ``staff_id`` the carer, nurse or doctor this login belongs to.
    """

    user_id: int | None
    name: str
    role: str
    rights: frozenset[str] = frozenset()
    div: str | None = None
    organisation_id: int | None = None
    elder_ids: tuple[int, ...] = ()
    staff_id: int | None = None
    grant_id: int | None = None
    request_id: str = ""
    is_system: bool = field(default=False)

    def has(self, right: str) -> bool:
        """Whether the role carries the right, whatever the row."""
        return right in self.rights

    def covers(self, div: str) -> bool:
        """Whether a division lies in the area of the actor."""
        return self.div is not None and (div == self.div or (div > self.div and div.startswith(self.div)))
