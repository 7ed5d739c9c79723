"""Writing of the hotline, one file per noun."""

from yinling.hotline.operations.articles import (
    draft_article,
    end_template,
    publish_article,
    revise_article,
    save_template,
    use_article,
    withdraw_article,
)
from yinling.hotline.operations.callbacks import (
    arrange_callback,
    finish_callback,
    give_up_callback,
    open_callback,
    remind_callback,
    take_callback,
    try_again_callback,
)
from yinling.hotline.operations.calls import (
    abandon_call,
    answer_call,
    cut_call,
    hang_up_call,
    hold_call,
    identify_call,
    resume_call,
    set_activity,
)
from yinling.hotline.operations.contracts import (
    approve_operator_statement,
    confirm_operator_statement,
    draft_operator_statement,
    end_line_contract,
    object_operator_statement,
    send_operator_statement,
    sign_line_contract,
)
from yinling.hotline.operations.dialling import dial_call, enter_late_call
from yinling.hotline.operations.emergencies import STEP_LABELS, advance_emergency, hand_over_call
from yinling.hotline.operations.exchange import (
    export_ticket,
    import_ticket,
    load_tickets,
    note_exchange,
    retry_exchange,
)
from yinling.hotline.operations.handovers import accept_handover, inform_handover, open_handover
from yinling.hotline.operations.intake import (
    lodge_ticket,
)
from yinling.hotline.operations.leaves import ask_leave, cancel_leave, grant_leave, refuse_leave
from yinling.hotline.operations.line import (
    connect_call,
    divert_call,
    end_offer,
    leave_message,
    offer_call,
    overflow_call,
    receive_call,
    transfer_call,
)
from yinling.hotline.operations.quality import draw_samples, object_sample, score_sample, settle_sample
from yinling.hotline.operations.recordings import (
    attach_recording,
    delete_recording,
    listen_recording,
    report_broken,
    store_recording,
)
from yinling.hotline.operations.rosters import (
    add_shift,
    check_shift,
    copy_roster,
    draft_roster,
    free_seat,
    move_shift,
    note_arrival,
    publish_roster,
    remove_shift,
    warn_of_end,
    withdraw_roster,
)
from yinling.hotline.operations.seats import (
    add_group,
    add_seat,
    end_seat,
    move_seat,
    pause_seat,
    record_training,
    register_phone,
    resume_seat,
    sign_in_seat,
    sign_out_seat,
    update_group,
)
from yinling.hotline.operations.sorting import (
    assign_tickets,
    merge_ticket,
    transfer_tickets,
    triage_ticket,
)
from yinling.hotline.operations.swaps import agree_swap, approve_swap, ask_swap, cancel_swap, refuse_swap
from yinling.hotline.operations.tickets import (
    annotate_ticket,
    close_ticket,
    open_follow_up,
    open_ticket,
    recount_ticket,
    reopen_ticket,
    resolve_ticket,
    split_ticket,
    take_ticket,
    transfer_ticket,
)
from yinling.hotline.operations.urging import (
    answer_supervision,
    escalate_ticket,
    remind_ticket,
    supervise_ticket,
)

__all__ = [
    "STEP_LABELS", "abandon_call", "accept_handover", "add_group", "add_seat", "add_shift", "advance_emergency", "agree_swap", "annotate_ticket",
    "answer_call", "answer_supervision", "approve_operator_statement", "approve_swap", "arrange_callback", "ask_leave", "ask_swap",
    "assign_tickets", "attach_recording", "cancel_leave", "cancel_swap", "check_shift", "close_ticket", "confirm_operator_statement",
    "connect_call", "copy_roster", "cut_call", "delete_recording", "dial_call", "divert_call", "draft_article", "draft_operator_statement",
    "draft_roster", "draw_samples", "end_line_contract", "end_offer", "end_seat", "end_template", "enter_late_call", "escalate_ticket",
    "export_ticket", "finish_callback", "free_seat", "give_up_callback", "grant_leave", "hand_over_call", "hang_up_call", "hold_call",
    "identify_call", "import_ticket", "inform_handover", "leave_message", "listen_recording", "load_tickets", "lodge_ticket", "merge_ticket",
    "move_seat", "move_shift", "note_arrival", "note_exchange", "object_operator_statement", "object_sample", "offer_call", "open_callback",
    "open_follow_up", "open_handover", "open_ticket", "overflow_call", "pause_seat", "publish_article", "publish_roster", "receive_call",
    "record_training", "recount_ticket", "refuse_leave", "refuse_swap", "register_phone", "remind_callback", "remind_ticket", "remove_shift",
    "reopen_ticket", "report_broken", "resolve_ticket", "resume_call", "resume_seat", "retry_exchange", "revise_article", "save_template",
    "score_sample", "send_operator_statement", "set_activity", "settle_sample", "sign_in_seat", "sign_line_contract", "sign_out_seat",
    "split_ticket", "store_recording", "supervise_ticket", "take_callback", "take_ticket", "transfer_call", "transfer_ticket", "transfer_tickets",
    "triage_ticket", "try_again_callback", "update_group", "use_article", "warn_of_end", "withdraw_article", "withdraw_roster",
]  # fmt: skip
