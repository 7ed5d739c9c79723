"""Whether the line rings in pages, and the words that the soft-phone's window and its bar say without asking the platform."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _


def line_of_phones() -> Any:
    """Return the line if pages can be its telephones, else nothing."""
    line = import_string(settings.PORTS["telephony"])
    return line() if hasattr(line, "seat_credentials") else None


def window_words() -> dict[str, str]:
    """What the window says by itself, without asking the platform."""
    return {
        "title": _("软电话"), "on": _("已注册"), "off": _("未注册"), "none": _("未连接"), "ringing": _("来电振铃"), "dialling": _("正在呼出"),
        "talking": _("通话中"), "held": _("保持中"), "lost": _("与电话线路断开，正在重新连接。这段时间来电会转给其他坐席。"),
        "silent": _("听不到对方：已有几秒没有收到声音。请告诉对方稍等，网络恢复后会继续；仍不行请挂断后回拨。"),
        "loss": _("网络不稳，最近丢失了 {n}% 的声音。请关闭占用网络的程序，或改用有线网络。"),
        "unsaved": _("电话已照办，但平台没有记下来，请检查网络。"), "login": _("登录已过期，请在坐席台重新登录，再刷新这个窗口。"),
        "twice": _("软电话已在另一个窗口打开，请使用那个窗口；这个窗口可以关闭。"),
        "insecure": _("浏览器只在 https 地址下允许使用话筒。请用 https 打开平台，或请管理员配置证书。"),
        "refused": _("浏览器没有使用话筒的许可。请点地址栏左侧的图标，把“麦克风”改为“允许”，再按“重试”。"),
        "absent": _("没有找到话筒。请插好耳机，再按“重试”。"), "busy": _("话筒打不开，可能被其他程序占用。请关闭那个程序，再按“重试”。"),
    }  # fmt: skip


def bar_words() -> dict[str, str]:
    """What the bar on console pages says."""
    return {
        "on": _("软电话已注册"), "off": _("软电话未注册"), "out": _("未上线"), "closed": _("软电话没有打开"),
        "lost": _("软电话窗口已关闭，来电不会到这里。请重新打开。"), "ringing": _("来电振铃"), "dialling": _("正在呼出"), "talking": _("通话中"),
        "held": _("保持中"), "unknown": _("未登记"),
    }  # fmt: skip
