"""Writing the files of elders, one file per noun."""

from yinling.people.operations.circumstances import (
    end_circumstance,
    record_circumstance,
)
from yinling.people.operations.contacts import (
    add_contact,
    appoint_representative,
    end_representative,
    record_consent,
    remove_contact,
)
from yinling.people.operations.elders import (
    bury_elder,
    correct_death,
    register_elder,
    relocate_elder,
    reveal_elder,
    update_elder,
)

__all__ = [
    "add_contact",
    "appoint_representative",
    "bury_elder",
    "correct_death",
    "end_circumstance",
    "end_representative",
    "record_circumstance",
    "record_consent",
    "register_elder",
    "relocate_elder",
    "remove_contact",
    "reveal_elder",
    "update_elder",
]
