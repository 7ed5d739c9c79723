"""States of the import of a sheet: it is checked as a whole before anything is written, and can be undone as a whole."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class ImportState(State):
    """From the upload to the end."""

    UPLOADED = "uploaded", N_("已上传")
    CHECKING = "checking", N_("试算中")
    CHECKED = "checked", N_("待确认")
    RUNNING = "running", N_("导入中")
    DONE = "done", N_("已完成")
    UNDOING = "undoing", N_("撤销中")
    UNDONE = "undone", N_("已撤销")
    CANCELLED = "cancelled", N_("已取消")
    FAILED = "failed", N_("失败")


IMPORT = Machine(
    "import",
    ImportState,
    ImportState.UPLOADED,
    [
        ("check", {ImportState.UPLOADED, ImportState.CHECKED}, ImportState.CHECKING, N_("试算")),
        ("present", {ImportState.CHECKING}, ImportState.CHECKED, ""),
        ("start", {ImportState.CHECKED}, ImportState.RUNNING, N_("确认导入")),
        ("finish", {ImportState.RUNNING}, ImportState.DONE, ""),
        ("undo", {ImportState.DONE, ImportState.CANCELLED}, ImportState.UNDOING, N_("撤销导入")),
        ("restore", {ImportState.UNDOING}, ImportState.UNDONE, ""),
        (
            "cancel",
            {ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED, ImportState.RUNNING},
            ImportState.CANCELLED,
            N_("取消"),
        ),
        ("fail", {ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING}, ImportState.FAILED, ""),
    ],
)
