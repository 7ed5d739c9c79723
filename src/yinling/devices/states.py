"""States of devices, alarms and tasks about devices."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class DeviceState(State):
    """From the register to the removal. Being silent is no state: it follows from the last message."""

    REGISTERED = "registered", N_("待安装")
    ACTIVE = "active", N_("在用")
    PAUSED = "paused", N_("停用检修")
    REMOVED = "removed", N_("已拆除")


DEVICE = Machine(
    "device",
    DeviceState,
    DeviceState.REGISTERED,
    [
        ("install", {DeviceState.REGISTERED, DeviceState.PAUSED}, DeviceState.ACTIVE, N_("安装启用")),
        ("pause", {DeviceState.ACTIVE}, DeviceState.PAUSED, N_("停用检修")),
        ("remove", {DeviceState.REGISTERED, DeviceState.ACTIVE, DeviceState.PAUSED}, DeviceState.REMOVED, N_("拆除")),
    ],
)


class AlarmState(State):
    """From the device's call to its end. Whom it reached when stands in its steps."""

    RAISED = "raised", N_("待受理")
    ACKNOWLEDGED = "acknowledged", N_("已受理")
    ON_THE_WAY = "on_the_way", N_("人员在途")
    RESOLVED = "resolved", N_("已处置")
    FALSE_ALARM = "false_alarm", N_("误报")


ALARM = Machine(
    "alarm",
    AlarmState,
    AlarmState.RAISED,
    [
        ("acknowledge", {AlarmState.RAISED}, AlarmState.ACKNOWLEDGED, N_("受理")),
        ("depart", {AlarmState.RAISED, AlarmState.ACKNOWLEDGED}, AlarmState.ON_THE_WAY, N_("登记出发")),
        ("resolve", {AlarmState.ACKNOWLEDGED, AlarmState.ON_THE_WAY}, AlarmState.RESOLVED, N_("处置完毕")),
        ("dismiss", {AlarmState.ACKNOWLEDGED, AlarmState.ON_THE_WAY}, AlarmState.FALSE_ALARM, N_("认定误报")),
    ],
)


class DeviceTaskState(State):
    """Open until somebody, or the device itself, has put it right."""

    OPEN = "open", N_("待处理")
    DONE = "done", N_("已处理")


DEVICE_TASK = Machine(
    "device_task",
    DeviceTaskState,
    DeviceTaskState.OPEN,
    [("close", {DeviceTaskState.OPEN}, DeviceTaskState.DONE, N_("处理完毕"))],
)
