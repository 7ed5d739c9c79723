"""The amounts of a paper as the page, the PDF, the workbook and the API show them."""

import io
import re

from django.test import Client
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from yinling.kernel.money import capital, yuan
from yinling.web.papers import Paper
from yinling.web.sheets import YUAN

AMOUNT = re.compile(r"-?\d{1,3}(?:,\d{3})*\.\d{2}")


def on_page(client: Client, address: str) -> list[str]:
    """Every amount of the tables and the sums of a page, cell by cell."""
    answer = client.get(address)
    assert answer.status_code == 200
    html = answer.content.decode()
    cells = re.findall(r"<(?:td|dd)[^>]*>(.*?)</(?:td|dd)>", html, re.DOTALL)
    plain = [re.sub(r"<[^>]+>", "", cell).strip() for cell in cells]
    return [cell for cell in plain if AMOUNT.fullmatch(cell)]


def in_pdf(client: Client, address: str) -> tuple[list[str], str]:
    """Every amount of a PDF by extracting its text, and the text."""
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    return AMOUNT.findall(text), re.sub(r"\s", "", text)


def in_sheet(client: Client, address: str, count: int) -> list[str]:
    """The amounts of a workbook: every number of its last columns, written as people read it."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(client.get(address).content)).get_sheet_by_index(0).to_python()
    start = next(
        place for place, row in enumerate(rows) if len([cell for cell in row if cell != ""]) > count // 2 and place > 1
    )
    heads = rows[start]
    money = [place for place, head in enumerate(heads) if "元" in str(head)]
    return [yuan(round(row[place] * 100)) for row in rows[start + 1 :] for place in money if row[place] != ""]


def in_data(paper: Paper) -> list[str]:
    """The amounts of the API's answer."""
    data = paper.data()
    names = [one["name"] for one in data["columns"] if one["kind"] == YUAN]
    return [yuan(row[name]) for row in data["rows"] for name in names] + [
        yuan(one["amount_fen"]) for one in data["sums"]
    ]


def equal_everywhere(client: Client, address: str, files: str, paper: Paper, columns: int) -> str:
    """Assert that all five show the same amounts; return the text of the PDF."""
    expected = sorted(in_data(paper))
    pdf, text = in_pdf(client, files.replace("KIND", "pdf"))
    assert sorted(on_page(client, address)) == expected
    assert sorted(in_sheet(client, files.replace("KIND", "excel"), columns)) == expected
    assert sorted(pdf) == expected
    if paper.total_fen is not None:
        assert capital(paper.total_fen) in text
    return text
