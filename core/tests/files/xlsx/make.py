"""Writes the workbooks beside this file. Versions: README.md.

    python -m venv venv
    venv/bin/pip install openpyxl xlsxwriter pandas
    venv/bin/python make.py

Row i has the values that `table` gives; `../../data_xlsx.rs` repeats them.
"""

import datetime
import pathlib

import openpyxl
import pandas as pd
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HERE = pathlib.Path(__file__).parent
START = datetime.datetime(2024, 2, 28, 12, 0, 0)
ROWS = 5


def table():
    """Half a day and a millisecond between moments, so that a leap day and every sort of rounding is met."""
    return [
        {
            "when": START + i * datetime.timedelta(hours=12, milliseconds=1),
            "day": (START + datetime.timedelta(days=i)).date(),
            "temp (°C)": [1.5, None, -2.25, 1e-3, 1e300][i],
            "count": [3, 1, 4, 1, -5][i],
            "label": ["a", "b, c", " d <&> \"e\"\n ", None, "a"][i],
            "flag": [True, False, True, True, False][i],
            "clock": [datetime.time(0, 0), datetime.time(12, 30), datetime.time(23, 59, 59), datetime.time(6), None][i],
            "lasted": [datetime.timedelta(minutes=90), datetime.timedelta(hours=25, seconds=1), None,
                       datetime.timedelta(0), datetime.timedelta(milliseconds=1500)][i],
        }
        for i in range(ROWS)
    ]


def openpyxl_book():
    book = openpyxl.Workbook()
    data = book.active
    data.title = "Data"
    rows = table()
    data.append(list(rows[0]))
    for row in rows:
        data.append(list(row.values()))
    rest = book.create_sheet("The rest")
    # Without a header, beginning in C4, with a gap: an empty row, and an empty column that is there for its format.
    for i in range(ROWS):
        if i != 2:
            rest.cell(4 + i, 3, i * i)
            rest.cell(4 + i, 5, ["one", "two"][i % 2])
    rest.cell(4, 4).number_format = "yyyy-mm-dd"
    # openpyxl computes nothing.
    rest.cell(4, 6, "=C4+1")
    rest.cell(5, 6, 7.5)
    rich = book.create_sheet("Rich")
    rich["A1"], rich["B1"] = "text", "odd"
    for i in range(20):
        rich.cell(2 + i, 1, CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"), f" {i % 2}"))
        rich.cell(2 + i, 2, i + 0.5 if i != 7 else "seven")
    book.create_sheet("Empty")
    chart = book.create_chartsheet("Chart")
    chart.add_chart(openpyxl.chart.LineChart())
    book.save(HERE / "openpyxl.xlsx")


def pandas_book():
    frame = pd.DataFrame(table())
    with pd.ExcelWriter(HERE / "pandas.xlsx", engine="xlsxwriter") as writer:
        frame.drop(columns=["clock", "lasted"]).to_excel(writer, sheet_name="Sheet1", index=False)


def xlsxwriter_book():
    book = xlsxwriter.Workbook(HERE / "xlsxwriter.xlsx")
    sheet = book.add_worksheet("It's «1»")
    bold = book.add_format({"bold": True})
    for column, name in enumerate(["rich", "formula", "error", "number as text", "month", "elapsed", "half empty", "date or not"]):
        sheet.write_string(0, column, name)
    month, elapsed = book.add_format({"num_format": "mmm\\ yyyy"}), book.add_format({"num_format": "[h]:mm"})
    for i in range(ROWS):
        row = i + 1
        sheet.write_rich_string(row, 0, "x", bold, "y ", f"z{i % 3}", bold, "!")
        sheet.write_formula(row, 1, f"=ROW()*{i}", None, row * i + 0.25)
        if i == 3:
            sheet.write_formula(row, 2, "=1/0", None, "#DIV/0!")
        else:
            sheet.write_number(row, 2, i)
        sheet.write_string(row, 3, f"{i}.5")
        sheet.write_datetime(row, 4, datetime.datetime(2023 + i, 1 + i, 1), month)
        sheet.write_number(row, 5, i * 10 / 24, elapsed)
        if i % 2:
            sheet.write_formula(row, 6, '=""', None, "")
        else:
            sheet.write_number(row, 6, i)
        if i < 4:
            sheet.write_datetime(row, 7, START + i * datetime.timedelta(days=1), book.add_format({"num_format": 22}))
        else:
            # XlsxWriter escapes what looks like an escape.
            sheet.write_string(row, 7, "later_x000D_")
    book.close()


def constant_memory_book():
    """Inline strings, as XlsxWriter writes them row by row."""
    book = xlsxwriter.Workbook(HERE / "inline.xlsx", {"constant_memory": True})
    sheet = book.add_worksheet()
    for row, (name, x) in enumerate([("name", "x"), (" a & b ", 1), ("<c>", 2), ("ünï", 3)]):
        sheet.write(row, 0, name)
        sheet.write(row, 1, x)
    book.close()


def books_from_1904():
    book = xlsxwriter.Workbook(HERE / "mac_xlsxwriter.xlsx", {"date_1904": True})
    sheet = book.add_worksheet()
    form = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
    for row, moment in enumerate([r["when"] for r in table()]):
        sheet.write_datetime(row, 0, moment, form)
    book.close()
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    for row in table():
        book.active.append([row["when"]])
    book.save(HERE / "mac_openpyxl.xlsx")


def early_dates():
    """Around the 29 February 1900, which the 1900 system has and no calendar."""
    book = xlsxwriter.Workbook(HERE / "early.xlsx")
    sheet = book.add_worksheet()
    form = book.add_format({"num_format": "yyyy-mm-dd"})
    for row, serial in enumerate([1, 59, 60, 61, 25569, 2958465, 2958466, -1]):
        sheet.write_number(row, 0, serial, form)
    book.close()


for write in [openpyxl_book, pandas_book, xlsxwriter_book, constant_memory_book, books_from_1904, early_dates]:
    write()
