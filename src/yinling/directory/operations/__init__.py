"""Writing the map: logins and grants, organisations and their people, responsibility, calendar and clock. One file per noun."""

from yinling.directory.operations.absences import end_absence, report_absence
from yinling.directory.operations.bodies import (
    classify_organisation,
    delist_organisation,
    end_policy,
    enlist_organisation,
    record_policy,
    register_organisation,
    register_site,
    rename_area,
    update_organisation,
    update_site,
)
from yinling.directory.operations.calendar import (
    load_calendar,
    move_clock,
    unload_calendar,
)
from yinling.directory.operations.duties import assign_service_area, end_service_area
from yinling.directory.operations.logins import (
    confirm_grant,
    end_grant,
    end_token,
    issue_token,
    new_token,
    propose_grant,
    register_user,
)
from yinling.directory.operations.staff import (
    qualify_staff,
    register_staff,
    release_suspension,
    suspend_staff,
    update_staff,
)

__all__ = [
    "assign_service_area",
    "classify_organisation",
    "confirm_grant",
    "delist_organisation",
    "end_absence",
    "end_grant",
    "end_policy",
    "end_service_area",
    "end_token",
    "enlist_organisation",
    "issue_token",
    "load_calendar",
    "move_clock",
    "new_token",
    "propose_grant",
    "qualify_staff",
    "record_policy",
    "register_organisation",
    "register_site",
    "register_staff",
    "register_user",
    "release_suspension",
    "rename_area",
    "report_absence",
    "suspend_staff",
    "unload_calendar",
    "update_organisation",
    "update_site",
    "update_staff",
]
