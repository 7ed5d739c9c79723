"""Cells of about 16 m: ways are kept and asked between their centres, so that no map service learns which door is meant."""

from __future__ import annotations

from yinling.dispatch.ports import Point

_SIDE = 0.00015
_ROWS = 2_000_000


def cell_of(point: Point) -> int:
    """Return the number of the cell a place lies in."""
    return round((point.lon + 180) / _SIDE) * _ROWS + round((point.lat + 90) / _SIDE)


def centre_of(cell: int) -> Point:
    """Return the middle of a cell."""
    column, row = divmod(cell, _ROWS)
    return Point(round(column * _SIDE - 180, 6), round(row * _SIDE - 90, 6))
