"""Which column of a department's sheet means what, and which of its words: proposed, corrected by people, kept with the source. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yinling.kernel.words import N_
from yinling.people.cells import text_of
from yinling.people.inputs import CIRCUMSTANCES, CONTACT_KINDS, HEALTH_KINDS, ID_TYPES, SEXES
from yinling.people.sheets import Row, is_blank

HEADER_WITHIN = 15
"""Titles and notes above the table take no more rows."""
LONGEST_HEADER = 60


@dataclass(frozen=True)
class Column:
    """Something a column may hold: code, what people call it, and the headings by which it is known."""

    code: str
    label: str
    heads: tuple[str, ...] = ()


def _columns() -> list[Column]:
    plain = [
        ("name", N_("姓名"), "姓名 老人姓名 老年人姓名 人员姓名 对象姓名 户主姓名 参保人姓名 残疾人姓名 name"),
        ("id_number", N_("证件号"), "身份证号 身份证号码 身份证 证件号码 证件号 公民身份号码 居民身份证号码 公民身份证号 社会保障号码 idcard"),
        ("id_type", N_("证件类型"), "证件类型 证件种类 证件类别"),
        ("sex", N_("性别"), "性别 性別 sex"),
        ("born_on", N_("出生日期"), "出生日期 出生年月 出生年月日 生日 出生时间"),
        ("phone", N_("电话"), "电话 联系电话 手机 手机号 手机号码 电话号码 本人电话 联系方式 固定电话 座机 phone"),
        ("div", N_("社区（村）"), "社区 村 社区村 村社区 村居 所属社区 所在社区 居委会 村委会 社区名称 社区代码 区划代码 行政区划代码 村居名称"),
        ("street", N_("街道（镇）"), "街道 镇 街道镇 镇街 乡镇 镇街道 所属街道 乡镇街道 街道名称 所属乡镇 镇街名称"),
        ("district", N_("区县"), "区县 区 县 县区 所属区县 市区 县市区 所属区 区县名称"),
        ("address", N_("详细住址"), "住址 地址 详细地址 详细住址 家庭住址 家庭地址 现住址 居住地址 常住地址 现居住地址 居住地"),
        ("hukou_div", N_("户籍区划代码"), "户籍区划 户籍区划代码 户籍地代码 户口所在地代码"),
        ("contact_name", N_("联系人姓名"), "联系人 紧急联系人 联系人姓名 紧急联系人姓名 监护人 监护人姓名 家属姓名 家属"),
        ("contact_kind", N_("联系人关系"), "与本人关系 关系 联系人关系 与老人关系 与联系人关系"),
        ("contact_phone", N_("联系人电话"), "联系人电话 紧急联系人电话 监护人电话 家属电话 联系人手机 联系人联系电话"),
        ("circumstance", N_("人群类别（文字）"), "人群类别 救助类别 对象类别 人员类别 困难类型 身份类别 保障类别 特殊类别 类别 困难类别 老人类别"),
        ("circumstance_from", N_("类别开始日期"), "开始日期 认定日期 起始日期 享受日期 批准日期 享受待遇开始日期 发证日期"),
        ("circumstance_to", N_("类别截止日期"), "截止日期 到期日期 终止日期 有效期至 享受待遇截止日期 有效期"),
        ("circumstance_detail", N_("类别说明"), "类别说明 情况说明"),
        ("disability_kind", N_("残疾类别"), "残疾类别 残疾类型 残疾种类"),
        ("disability_grade", N_("残疾等级"), "残疾等级 残疾级别"),
        ("health_on", N_("健康信息日期"), "体检日期 诊断日期 登记日期 建档日期"),
        ("died_on", N_("去世日期"), "去世日期 死亡日期 死亡时间 去世时间 注销日期"),
        ("moved_on", N_("迁出日期"), "迁出日期 迁出时间 搬离日期"),
        ("body", N_("认定部门"), "认定部门 认定单位 发证机关 审批单位"),
    ]  # fmt: skip
    flags = [(f"is.{kind}", label, "") for kind, label in CIRCUMSTANCES if kind not in _NO_FLAG]
    health = [(f"health.{kind}", label, _HEALTH_HEADS[kind]) for kind, label in HEALTH_KINDS if kind in _HEALTH_HEADS]
    found = [Column(code, label, tuple(heads.split())) for code, label, heads in [*plain, *flags, *health]]
    return [_with_own_name(column) for column in found]


_NO_FLAG = ("moved_away", "disability")
_HEALTH_HEADS = {
    "allergy": "过敏史 药物过敏 过敏情况", "diagnosis": "病种 诊断 疾病 慢病病种 门慢病种 病史 既往史 慢性病名称", "medication": "用药 用药情况",
    "check": "体检结果 体检情况 检查结果", "contraindication": "禁忌 接种禁忌 疫苗禁忌 禁忌症", "vaccination": "疫苗 接种 接种疫苗 接种情况",
}  # fmt: skip


def _with_own_name(column: Column) -> Column:
    if not column.code.startswith(("is.", "health.")):
        return column
    short = re.sub(r"（.*?）", "", column.label)
    heads = [column.label.replace("（", "").replace("）", ""), short, f"是否{short}"]
    return Column(column.code, column.label, tuple(dict.fromkeys([*column.heads, *heads])))


COLUMNS = _columns()
BY_CODE = {column.code: column for column in COLUMNS}
CHOICES = [(column.code, column.label) for column in COLUMNS]
_NORMAL_HEADS = {head: column.code for column in COLUMNS for head in column.heads}

YES = frozenset(["是", "有", "1", "y", "yes", "true", "√", "✓", "✔", "v", "对", "t", "1.0", "☑", "是的"])
NO = frozenset(
    ["否", "无", "0", "n", "no", "false", "×", "x", "没有", "不", "f", "0.0", "-", "/", "—", "☐", "不是", "未"]
)


@dataclass(frozen=True)
class Habit:
    """What is usual for a department: which circumstance all its rows mean, if any, and how it is called as recognising body."""

    body: str
    columns: Mapping[str, str] = field(default_factory=dict)


HABITS = {
    "civil_affairs": Habit(N_("民政部门"), {"类别": "circumstance", "类型": "circumstance", "待遇类型": "circumstance"}),
    "health": Habit(N_("卫生健康部门"), {"类别": "circumstance", "建档日期": "health_on", "病种": "health.diagnosis"}),
    "insurance": Habit(N_("医疗保障部门"), {"病种名称": "health.diagnosis", "认定日期": "health_on", "个人编号": "", "类别": ""}),
    "disabled_federation": Habit(
        N_("残联"), {"类别": "disability_kind", "等级": "disability_grade", "残疾证号": "", "发证日期": "circumstance_from"}
    ),
    "veterans": Habit(N_("退役军人事务部门"), {"优抚类别": "circumstance_detail", "对象类别": "circumstance_detail"}),
    "police": Habit(N_("公安部门"), {"注销日期": "died_on", "户口所在地": ""}),
    "other": Habit(""),
}  # fmt: skip

_SEX_WORDS = {"1": "男 男性 m male 1 ♂", "2": "女 女性 f female 2 ♀", "9": "9 0 未说明 未知 不详"}
_ID_WORDS = {
    "id": "身份证 居民身份证 二代身份证 户口簿 111 01 1", "residence_permit": "港澳台居民居住证 居住证 港澳居民居住证 台湾居民居住证",
    "passport": "护照 普通护照 外国护照 414", "none": "无 无证件 没有",
}  # fmt: skip
_CONTACT_WORDS = {
    "spouse": "配偶 夫妻 丈夫 妻子 老伴 夫 妻 爱人", "child": "子女 儿子 女儿 子 女 儿媳 女婿 长子 次子 长女 次女 养子 养女",
    "grandchild": "孙辈 孙子 孙女 外孙 外孙女 孙", "neighbour": "邻居", "guardian": "监护人",
    "other": "其他 亲属 亲戚 兄弟 姐妹 弟 妹 哥 姐 侄子 侄女 外甥 外甥女 朋友 社区 村干部",
}  # fmt: skip
_CIRCUMSTANCE_WORDS = {
    "lives_alone": "独居 独居老人", "empty_nest": "空巢 空巢老人", "left_behind": "留守 留守老人", "bereaved": "失独 失独家庭 失独老人",
    "special_family": "计生特殊家庭 计划生育特殊家庭 特扶 计生特扶", "destitute": "特困 分散供养 特困分散供养 特困供养 五保 特困人员 分散特困",
    "destitute_in_care": "集中供养 特困集中供养 集中特困", "childless": "孤寡 孤寡老人 孤老", "dibao": "低保 最低生活保障 城市低保 农村低保 低保户",
    "dibao_marginal": "低保边缘 低边 低保边缘家庭 低收入 低保边缘户", "poverty_file": "建档立卡 脱贫户 建档立卡户",
    "veteran_care": "重点优抚 优抚对象 优抚 优抚老人", "disability": "残疾 残疾人", "severe_disability": "重残 重度残疾", "dementia": "失智 认知障碍",
    "chronic": "慢性病 慢病", "limited_mobility": "行动不便", "in_hospital": "住院", "hardship": "经济困难 其他经济困难 困难",
    "in_institution": "入住机构 机构养老 住养老院", "moved_away": "迁出",
}  # fmt: skip


def _words(labels: Sequence[tuple[str, str]], extra: Mapping[str, str]) -> dict[str, str]:
    found = {plain_head(label): code for code, label in labels}
    return found | {plain_head(word): code for code, words in extra.items() for word in words.split()}


def plain_head(text: str) -> str:
    """Bring a heading or a word to the form in which they are compared: no spaces, brackets, stars and case."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"\((?:必填|选填|必须|文本|如有|yyyy.*?|是/否|单位.*?)\)", "", plain)
    return re.sub(r"[\s*()\[\]【】《》<>:;.,、，。：/\\_\-]", "", plain)


def says_no(text: str) -> bool:
    """Whether a cell says that there is nothing: empty, a dash, 否, 无."""
    plain = plain_head(text)
    return not plain or plain in NO


WORDS: dict[str, dict[str, str]] = {
    "sex": _words(SEXES, _SEX_WORDS),
    "id_type": _words(ID_TYPES, _ID_WORDS),
    "contact_kind": _words(CONTACT_KINDS, _CONTACT_WORDS),
    "circumstance": _words(CIRCUMSTANCES, _CIRCUMSTANCE_WORDS),
}
WORD_CHOICES = {"sex": SEXES, "id_type": ID_TYPES, "contact_kind": CONTACT_KINDS, "circumstance": CIRCUMSTANCES}


@dataclass(frozen=True)
class Reading:
    """How one sheet is read: its header row, column by heading, a department's own words, and what holds for every row."""

    header: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    always: str = ""
    since: str = ""
    body: str = ""
    div: str = ""

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Reading:
        """Return what was stored; anything that is not of this shape is left out."""
        texts = {name: str(kept.get(name) or "")[:80] for name in ("always", "since", "body", "div")}
        header = kept.get("header")
        columns = {
            str(head)[:LONGEST_HEADER]: code
            for head, code in _pairs(kept.get("columns"))
            if code in BY_CODE or code == ""
        }
        words = {
            name: {plain_head(str(word)): code for word, code in _pairs(one) if code in dict(WORD_CHOICES[name])}
            for name, one in _pairs(kept.get("words"))
            if name in WORDS
        }
        return cls(
            header if isinstance(header, int) and 0 <= header < HEADER_WITHIN * 4 else 0, columns, words, **texts
        )

    def word(self, name: str, text: str) -> str | None:
        """Return the code of a word of a list, or None."""
        plain = plain_head(text)
        own = self.words.get(name, {})
        return own.get(plain) or WORDS[name].get(plain)


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, dict) else ()


def header_row(rows: Sequence[Row], known_heads: Mapping[str, str] = _NORMAL_HEADS) -> int:
    """Return which row holds the headings: the one with most known ones, else the first with several texts."""
    best, most = 0, 0
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        known = len({code for cell in row if isinstance(cell, str) and (code := known_heads.get(plain_head(cell)))})
        if known > most:
            best, most = number, known
    if most:
        return best
    wide = [
        number for number, row in enumerate(rows[:HEADER_WITHIN]) if len({text_of(cell) for cell in row} - {""}) > 1
    ]
    return wide[0] if wide else 0


def headings(rows: Sequence[Row], at: int) -> list[str]:
    """Return the heading of each column, all different: a twin is told apart by the group above it, else by a number."""
    if at >= len(rows):
        return []
    texts = [text_of(cell)[:LONGEST_HEADER] for cell in rows[at]]
    above = [text_of(cell)[:20] for cell in rows[at - 1]] if at else [""] * len(texts)
    is_group = len({text for text in above if text}) > 1
    found: list[str] = []
    for place, text in enumerate(texts):
        head = text or f"第{place + 1}列"
        if texts.count(text) > 1 and is_group and above[place]:
            head = f"{above[place]}{text}"[:LONGEST_HEADER]
        twins = 1
        while (named := head if twins == 1 else f"{head[: LONGEST_HEADER - 4]} {twins}") in found:
            twins += 1
        found.append(named)
    return found


def propose(
    heads: Sequence[str], *, saved: Mapping[str, str], department: str = "other", known: Mapping[str, str] = _NORMAL_HEADS
) -> dict[str, str]:  # fmt: skip
    """Propose a meaning for each heading: as saved for the source, else as usual for the department, else by name. "" is left out."""
    habit = HABITS.get(department, HABITS["other"]).columns
    found: dict[str, str] = {}
    taken: set[str] = set()
    for way in (
        saved.get,
        lambda head: habit.get(plain_head(head)),
        lambda head: known.get(plain_head(head)),
        lambda head: _contained(head, known),
    ):
        for head in heads:
            code = way(head) if head not in found else None
            if code is not None and (code not in taken or code == ""):
                found[head] = code
                taken.add(code)
    return {head: found.get(head, "") for head in heads}


def _contained(head: str, known: Mapping[str, str]) -> str | None:
    """Return what a longer heading is about: the longest known heading at its end, for 老人本人联系电话."""
    plain = plain_head(head)
    hits = [one for one in known if len(one) > 1 and plain.endswith(one)]
    return known[max(hits, key=len)] if hits else None


def problems_of(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (code, sentence) of what is wrong with a mapping as a whole."""
    codes = [code for code in columns.values() if code]
    found = []
    if "name" not in codes:
        found.append(("mapping.name", N_("请指定哪一列是姓名")))
    if "id_number" not in codes and "born_on" not in codes:
        found.append(("mapping.who", N_("请指定证件号或出生日期所在的列，否则无法识别是谁")))
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        found.append(("mapping.twice", N_("两列指定成了同一个内容，请只留一列")))
    if any(code not in BY_CODE for code in codes):
        found.append(("mapping.unknown", N_("请从列表中选择每一列的内容")))
    return found


def data_rows(rows: Sequence[Row], header: int) -> list[tuple[int, Row]]:
    """Return (number as the spreadsheet shows it, row) of every row below the header that says anything; a repeated header is left out."""
    head = rows[header] if header < len(rows) else []
    return [
        (number, row)
        for number, row in enumerate(rows[header + 1 :], header + 2)
        if not all(is_blank(cell) for cell in row) and row != head
    ]
