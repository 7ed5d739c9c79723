"""Writing of devices, one file per noun."""

from yinling.devices.operations.alarms import (
    acknowledge_alarm,
    contact_alarm,
    depart_alarm,
    dismiss_alarm,
    escalate_alarm,
    resolve_alarm,
)
from yinling.devices.operations.forgetting import forget_event
from yinling.devices.operations.intake import report_event
from yinling.devices.operations.register import (
    fence_device,
    import_device,
    install_device,
    locate_device,
    pause_device,
    register_device,
    rekey_device,
    remove_device,
    update_device,
)
from yinling.devices.operations.tasks import close_task, open_task

__all__ = [
    "acknowledge_alarm", "close_task", "contact_alarm", "depart_alarm", "dismiss_alarm", "escalate_alarm",
    "fence_device", "forget_event", "import_device", "install_device", "locate_device", "open_task",
    "pause_device", "register_device", "rekey_device", "remove_device", "report_event", "resolve_alarm",
    "update_device",
]  # fmt: skip
