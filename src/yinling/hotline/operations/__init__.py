"""Writing of the hotline, one file per noun."""

from yinling.hotline.operations.callbacks import (
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
from yinling.hotline.operations.dialling import dial_call, enter_late_call
from yinling.hotline.operations.contracts import (
    approve_operator_statement,
    confirm_operator_statement,
    draft_operator_statement,
    end_line_contract,
    object_operator_statement,
    send_operator_statement,
    sign_line_contract,
)
from yinling.hotline.operations.emergencies import STEP_LABELS, advance_emergency, hand_over_call
from yinling.hotline.operations.handovers import accept_handover, inform_handover, open_handover
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
from yinling.hotline.operations.leaves import ask_leave, cancel_leave, grant_leave, refuse_leave
from yinling.hotline.operations.quality import draw_samples, object_sample, score_sample, settle_sample
from yinling.hotline.operations.recordings import (
    attach_recording,
    delete_recording,
    listen_recording,
    report_broken,
    store_recording,
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
from yinling.hotline.operations.articles import (
    draft_article,
    end_template,
    publish_article,
    revise_article,
    save_template,
    use_article,
    withdraw_article,
)
from yinling.hotline.operations.exchange import (
    export_ticket,
    import_ticket,
    load_tickets,
    note_exchange,
    retry_exchange,
)
from yinling.hotline.operations.intake import (
    lodge_ticket,
)
from yinling.hotline.operations.sorting import (
    assign_tickets,
    merge_ticket,
    transfer_tickets,
    triage_ticket,
)
from yinling.hotline.operations.urging import (
    answer_supervision,
    escalate_ticket,
    remind_ticket,
    supervise_ticket,
)

__all__ = [
    "accept_handover", "inform_handover", "open_handover",
    "answer_supervision", "assign_tickets", "draft_article", "end_template", "escalate_ticket", "export_ticket", "import_ticket", "load_tickets", "lodge_ticket", "merge_ticket", "note_exchange", "publish_article", "remind_ticket", "retry_exchange", "revise_article", "save_template", "supervise_ticket", "transfer_tickets", "triage_ticket", "use_article", "withdraw_article",
    "draw_samples", "object_sample", "score_sample", "settle_sample",
    "approve_operator_statement", "confirm_operator_statement", "draft_operator_statement", "end_line_contract", "object_operator_statement", "send_operator_statement", "sign_line_contract",
    "add_shift", "agree_swap", "approve_swap", "ask_leave", "ask_swap", "cancel_leave", "cancel_swap", "check_shift", "copy_roster",
    "draft_roster", "free_seat", "grant_leave", "move_shift", "note_arrival", "publish_roster", "refuse_leave", "refuse_swap", "remove_shift",
    "warn_of_end", "withdraw_roster",
    "add_group", "add_seat", "connect_call", "cut_call", "dial_call", "divert_call", "end_offer", "end_seat", "enter_late_call",
    "finish_callback", "give_up_callback", "hold_call", "leave_message", "move_seat", "offer_call", "open_callback", "overflow_call",
    "pause_seat", "record_training", "register_phone", "remind_callback", "resume_call", "resume_seat", "sign_in_seat", "sign_out_seat",
    "take_callback", "transfer_call", "try_again_callback", "update_group",
    "attach_recording", "delete_recording", "listen_recording", "report_broken", "store_recording",
    "STEP_LABELS", "abandon_call", "advance_emergency", "annotate_ticket", "answer_call", "close_ticket", "hand_over_call", "hang_up_call",
    "identify_call", "open_follow_up", "open_ticket", "receive_call", "recount_ticket", "reopen_ticket", "resolve_ticket", "set_activity",
    "split_ticket", "take_ticket", "transfer_ticket",
]  # fmt: skip
