"""Rows of the hotline: seats and groups, calls, rosters, tickets, and how well the line is run."""

from yinling.hotline.models.callbacks import Callback
from yinling.hotline.models.calls import CHANNELS, MARKED, ORDINARY, RANKS, SOS, Call, CallOffer, Emergency, Recording
from yinling.hotline.models.handovers import Handover
from yinling.hotline.models.quality import LineContract, OperatorStatement, QualitySample
from yinling.hotline.models.rosters import Roster, SeatLeave, Shift, ShiftSwap
from yinling.hotline.models.seats import SKILLS, Seat, SeatGroup, SeatSpan, SeatTraining
from yinling.hotline.models.tickets import (
    KINDS,
    LEVELS,
    Article,
    Exchange,
    ExchangeMessage,
    Reminder,
    Reporter,
    Supervision,
    Ticket,
    TicketNote,
    TicketTemplate,
    Transfer,
)

__all__ = [
    "CHANNELS", "KINDS", "LEVELS", "MARKED", "ORDINARY", "RANKS", "SKILLS", "SOS", "Article", "Call", "CallOffer", "Callback", "Emergency",
    "Exchange", "ExchangeMessage", "Handover", "LineContract", "OperatorStatement", "QualitySample", "Recording", "Reminder", "Reporter",
    "Roster", "Seat", "SeatGroup", "SeatLeave", "SeatSpan", "SeatTraining", "Shift", "ShiftSwap", "Supervision", "Ticket", "TicketNote",
    "TicketTemplate", "Transfer",
]  # fmt: skip
