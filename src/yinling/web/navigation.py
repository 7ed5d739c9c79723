"""The pages a role finds in the top bar: one table. A page without a line here is reached from another page."""

from __future__ import annotations

from dataclasses import dataclass

from yinling.kernel.actor import Actor
from yinling.kernel.words import N_


@dataclass(frozen=True)
class Entry:
    """One page: label, address, the right that shows it, and the letter after G that goes there."""

    label: str
    path: str
    right: str
    letter: str = ""


NAVIGATION = (
    Entry(N_("坐席台"), "/desk/", "hotline.call.answer", "p"),
    Entry(N_("工单"), "/tickets/", "hotline.ticket.view", "q"),
    Entry(N_("热线现场"), "/line/", "hotline.figure.view", "l"),
    Entry(N_("报警"), "/alarms/", "devices.alarm.view", "d"),
    Entry(N_("订单"), "/orders/", "orders.order.view", "o"),
    Entry(N_("派单"), "/dispatch/", "dispatch.order.assign", "m"),
    Entry(N_("老年人"), "/elders/", "people.elder.view", "e"),
    Entry(N_("资源"), "/resources/", "directory.organisation.view", "r"),
    Entry(N_("待遇"), "/schemes/", "entitlements.entitlement.view", "w"),
    Entry(N_("待遇申请"), "/applications/", "entitlements.application.view", "a"),
    Entry(N_("服务清单"), "/catalogue/", "catalogue.item.view", ""),
    Entry(N_("结算"), "/settlement/", "settlement.statement.view", "s"),
    Entry(N_("预警"), "/findings/", "supervision.finding.view", "f"),
    Entry(N_("指标"), "/indicators/", "indicators.value.view", "b"),
    Entry(N_("授权"), "/grants/", "directory.grant.view", ""),
    Entry(N_("账号"), "/users/", "directory.user.register", ""),
    Entry(N_("日志"), "/journal/", "accounts.journal.view", ""),
    Entry(N_("系统"), "/system/", "directory.system.view", ""),
)
MORE = (
    Entry(N_("排班表"), "/line/rosters/", "hotline.roster.view"),
    Entry(N_("我的班次"), "/line/shifts/mine/", "hotline.leave.ask"),
    Entry(N_("坐席需求预测"), "/line/forecast/", "hotline.forecast.view"),
    Entry(N_("设备"), "/devices/", "devices.device.view"),
    Entry(N_("绿色通道"), "/green/", "hotline.handover.view"),
    Entry(N_("知识库"), "/line/knowledge/", "hotline.article.view", "k"),
    Entry(N_("督办"), "/line/supervisions/", "hotline.supervision.view"),
    Entry(N_("工单模板"), "/line/templates/", "hotline.template.save"),
    Entry(N_("工单交换"), "/line/exchange/", "hotline.exchange.view"),
    Entry(N_("回拨"), "/callbacks/", "hotline.callback.view"),
    Entry(N_("坐席和班组"), "/line/seats/", "hotline.seat.view"),
    Entry(N_("空闲时段"), "/line/availability/", "dispatch.assignment.view"),
    Entry(N_("用餐确认"), "/meals/", "orders.order.deliver"),
    Entry(N_("现场核查"), "/site-checks/", "supervision.site_check.view"),
    Entry(N_("短信和微信"), "/messages/", "accounts.message.view"),
    Entry(N_("退订名单"), "/messages/optouts/", "people.optout.view"),
    Entry(N_("家庭医生签约"), "/contracts/", "family_doctor.contract.view"),
    Entry(N_("家庭病床"), "/beds/", "home_beds.bed.view"),
    Entry(N_("账单异议"), "/settlement/objections/", "settlement.bill_objection.decide"),
    Entry(N_("待遇预算"), "/budgets/", "entitlements.budget.view"),
    Entry(N_("服务协议"), "/agreements/", "entitlements.agreement.view"),
    Entry(N_("长护险上门占比"), "/settlement/on-site/", "settlement.statement.view"),
    Entry(N_("长护险项目清单"), "/catalogue/insurance/", "catalogue.item.view"),
    Entry(N_("上门服务收入分配"), "/settlement/shares/", "settlement.distribution.view"),
    Entry(N_("人员考核"), "/staff/scorecards/", "settlement.score.view"),
    Entry(N_("资金审计"), "/settlement/tries/", "settlement.try.view"),
    Entry(N_("应购未购"), "/benefits/exceptions/", "entitlements.entitlement.view"),
    Entry(N_("资金去向"), "/funds/", "entitlements.budget_line.view"),
    Entry(N_("补助"), "/subsidies/", "subsidies.subsidy.view"),
    Entry(N_("报销"), "/reimbursements/", "settlement.reimbursement.view"),
    Entry(N_("档案待办"), "/elders/due/verify/", "people.elder.verify"),
    Entry(N_("疑似重复档案"), "/elders/doubles/", "people.elder.merge"),
    Entry(N_("老年人口报表"), "/population/ability/", "indicators.value.view"),
    Entry(N_("健康档案"), "/health/", "people.health.view"),
    Entry(N_("摸底"), "/campaigns/", "people.campaign.view"),
    Entry(N_("评估"), "/assessments/", "assessment.request.view", "v"),
    Entry(N_("评估任务"), "/m/assessments/", "assessment.form.save"),
    Entry(N_("机构"), "/organisations/", "directory.organisation.view"),
    Entry(N_("导入名册"), "/imports/", "people.import.view"),
    Entry(N_("接口令牌"), "/tokens/", "directory.token.issue"),
    Entry(N_("工作日历"), "/calendar/", "directory.calendar.load"),
    Entry(
        N_("方案对照"), "/profiles/", "directory.calendar.load"
    ),  # as open as the map; offered to whom the city's data concern
    Entry(N_("字典"), "/dictionaries/", "catalogue.item.update"),
)


def entries_for(actor: Actor) -> list[Entry]:
    """Return what the actor's role may open, in the order of the service loop."""
    return [entry for entry in NAVIGATION if actor.has(entry.right)]


def more_for(actor: Actor) -> list[Entry]:
    """Return the rarer pages, for the menu of the person."""
    return [entry for entry in MORE if actor.has(entry.right)]
