"""Writing the files of elders, one file per noun."""

from yinling.people.operations.campaigns import answer_campaign, make_campaign
from yinling.people.operations.circumstances import (
    end_circumstance,
    record_circumstance,
)
from yinling.people.operations.consents import (
    record_consent,
    withdraw_consent,
)
from yinling.people.operations.contacts import (
    add_contact,
    remove_contact,
    update_contact,
)
from yinling.people.operations.elders import (
    bury_elder,
    correct_death,
    register_elder,
    relocate_elder,
    reveal_elder,
    update_elder,
    verify_elder,
)
from yinling.people.operations.health import (
    end_health_fact,
    link_health_record,
    open_facts,
    record_health_fact,
    reveal_health,
    review_reading,
    write_grade,
    write_health_fact,
)
from yinling.people.operations.households import (
    correct_household,
)
from yinling.people.operations.imports import (
    cancel_import,
    check_import,
    decide_line,
    decide_lines,
    export_import,
    map_import,
    save_source,
    start_import,
    undo_import,
    upload_import,
)
from yinling.people.operations.merges import (
    merge_elders,
    separate_elders,
    unmerge_elders,
)
from yinling.people.operations.optouts import end_optout, record_optout
from yinling.people.operations.representatives import (
    appoint_representative,
    end_representative,
)

__all__ = [
    "add_contact",
    "answer_campaign",
    "appoint_representative",
    "bury_elder",
    "cancel_import",
    "check_import",
    "correct_death",
    "correct_household",
    "decide_line",
    "decide_lines",
    "end_circumstance",
    "end_health_fact",
    "end_optout",
    "end_representative",
    "export_import",
    "link_health_record",
    "make_campaign",
    "map_import",
    "merge_elders",
    "open_facts",
    "record_circumstance",
    "record_consent",
    "record_health_fact",
    "record_optout",
    "register_elder",
    "relocate_elder",
    "remove_contact",
    "reveal_elder",
    "reveal_health",
    "review_reading",
    "save_source",
    "separate_elders",
    "start_import",
    "undo_import",
    "unmerge_elders",
    "update_contact",
    "update_elder",
    "upload_import",
    "verify_elder",
    "withdraw_consent",
    "write_grade",
    "write_health_fact",
]
