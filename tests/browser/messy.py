"""A messy sheet as departments send it: title and notes above, merged cells, ten sheets, days and numbers in every form, slips.

The same function makes a few hundred rows for the test and fifty thousand for a trial by hand.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import xlsxwriter

from yinling.kernel.id_number import made_up

FIRST_SERIAL = 3_000_000
BLOCK = 25
HEADS = [
    "序号", "老人姓名", "性别", "身份证号码（必填）", "出生日期", "联系电话", "社区", "家庭住址", "救助类别", "是否独居", "残疾类别", "残疾等级",
    "紧急联系人", "紧急联系人电话", "备注",
]  # fmt: skip
SURNAMES, GIVEN = (
    "王李张刘陈杨赵黄周吴",
    ["秀英", "建国", "桂兰", "志强", "玉珍", "国华", "凤英", "德明", "淑芬", "永福"],
)


def days(born: date, index: int) -> Any:
    """Return a birth date in one of the forms that people use."""
    forms = [born.isoformat(), f"{born:%Y%m%d}", f"{born:%Y/%m/%d}", f"{born.year}年{born.month}月{born.day}日", f"{born:%Y.%m.%d}",
             (born - date(1899, 12, 30)).days, ""]  # fmt: skip
    return forms[index % len(forms)]


def person(index: int, communities: Sequence[str]) -> list[Any]:
    """Return one clean row, different for each index."""
    born = date(1930, 1, 1) + timedelta(days=index * 7 % 12_000)
    sex = "male" if index % 2 else "female"
    number = made_up(FIRST_SERIAL + index, born, sex).number
    name = SURNAMES[index % 10] + GIVEN[index // 10 % 10]
    number = number.lower() if index % 3 else number
    phone: Any = int(f"1990{index % 10_000_000:07d}") if index % 4 else f"1990-{index % 10_000_000:07d}"
    kinds = ["低保", "", "独居、低保边缘", "特困供养", ""][index % 5]
    return [
        index + 1, name, ["女", "男", "F", "M"][index % 4], number, days(born, index), phone, communities[index // BLOCK % len(communities)],
        f"幸福路{index // 2 + 1}号{index % 2 + 1}室", kinds, "是" if index % 6 == 0 else "否", "肢体" if index % 9 == 0 else "无",
        "二级" if index % 9 == 0 else "", "王芳" if index % 3 == 0 else "", f"1990001{index % 10_000:04d}" if index % 3 == 0 else "", "",
    ]  # fmt: skip


def spoiled(row: list[Any], index: int) -> list[Any]:
    """Return the row with the slip that every hundredth row has."""
    slips: dict[int, tuple[int, Any]] = {
        10: (3, float(int(row[3][:17] + "0"))),
        20: (5, "1.38E+10"),
        30: (4, "1949-02-30"),
        40: (3, row[3][:-1] + ("1" if row[3][-1] != "1" else "2")),
        50: (8, "一类保障"),
        60: (7, "=1+1"),
    }
    place, value = slips.get(index % 100, (0, row[0]))
    return [*row[:place], value, *row[place + 1 :]]


def messy(count: int, communities: Sequence[str]) -> bytes:
    """Return a workbook of ten sheets with ``count`` rows on the second; every hundredth row is a twin of the one above."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False})
    book.add_worksheet("填表说明").hide()
    sheet = book.add_worksheet("名册")
    sheet.merge_range(0, 0, 0, len(HEADS) - 1, "2026年度老年人救助对象名册")
    sheet.write(1, 0, "填报单位：（盖章）")
    sheet.write_row(2, 0, HEADS)
    for index in range(count):
        row = person(index - (index % 100 == 99), communities)
        row = spoiled(row, index)
        if index % 200 == 199:
            row[7] += "（已搬）"
        if index % BLOCK == 0 and index + BLOCK <= count:
            sheet.merge_range(3 + index, 6, 2 + index + BLOCK, 6, row[6])
        sheet.write_row(3 + index, 0, row[:6])
        if index + BLOCK > count or index % BLOCK:
            sheet.write_row(3 + index, 6, row[6:7] if index // BLOCK * BLOCK + BLOCK > count else [""])
        sheet.write_row(3 + index, 7, row[7:])
    for number in range(8):
        book.add_worksheet(f"附表{number + 1}")
    book.close()
    return target.getvalue()
