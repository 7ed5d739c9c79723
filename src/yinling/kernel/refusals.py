"""The four ways in which the platform says no. A refusal is raised, never returned."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A request that was understood and is not carried out.

    ``code`` is stable and for machines (``order.overlap``); ``detail`` is a Chinese sentence with ``%(name)s`` places that says
    what to do; ``values`` fill the places and are journalled, so they hold no personal data in clear.
    ``field`` names the input at fault, where there is one.
    """

    status = 422

    def __init__(self, code: str, detail: str = "", *, field: str = "", **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.template = detail or code
        self.field = field
        self.values = values
        self.is_noted = False
        """Whether its journal row is on the way."""

    @property
    def detail(self) -> str:
        """The sentence in the source language."""
        return self.template % self.values if self.values else self.template

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Denied(Refusal):
    """The actor lacks the right."""

    status = 403


class NotAllowed(Refusal):
    """The row is in a state in which this cannot be done."""

    status = 409


class Stale(NotAllowed):
    """Somebody else changed the row since the actor saw it."""


class Refused(Refusal):
    """A rule says no, with its reason."""


class NotFound(Refusal):
    """There is no such row, or not for this actor."""

    status = 404
