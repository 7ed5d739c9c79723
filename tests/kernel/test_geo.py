from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.geo import Datum, Position, checkin_distance_m, distance_m, from_wgs84, inside, to_wgs84
from yinling.kernel.refusals import Refused

WUXI = (120.3016, 31.5747)
IN_CHINA = st.builds(Position, st.floats(75, 134), st.floats(5, 53), st.just(Datum.WGS84))


def at(lon: float, lat: float, datum: Datum = Datum.WGS84, accuracy_m: float | None = None) -> Position:
    return Position(lon, lat, datum, accuracy_m)


@pytest.mark.req("X-GEO-01")
def test_the_public_example_of_gcj02() -> None:
    shifted = from_wgs84(at(120, 40), Datum.GCJ02)
    assert (shifted.lon, shifted.lat) == pytest.approx((120.00567568355486, 40.0013047896019), abs=1e-12)


@pytest.mark.req("X-GEO-01")
def test_the_shift_at_wuxi_is_484_metres() -> None:
    shifted = from_wgs84(at(*WUXI), Datum.GCJ02)
    assert distance_m(at(*WUXI), at(shifted.lon, shifted.lat)) == pytest.approx(484.9, abs=0.1)


@pytest.mark.req("X-GEO-01")
@given(IN_CHINA, st.sampled_from(Datum))
def test_there_and_back_is_the_same_place(position: Position, datum: Datum) -> None:
    there = from_wgs84(position, datum)
    back = to_wgs84(there)
    assert (there.datum, back.datum) == (datum, Datum.WGS84)
    assert distance_m(position, back) < 0.001
    assert distance_m(position, there) < 0.001


@pytest.mark.req("X-GEO-01b")
@pytest.mark.parametrize("datum", list(Datum))
def test_points_outside_china_are_not_shifted(datum: Datum) -> None:
    tokyo = at(139.69, 35.69)
    there = from_wgs84(tokyo, datum)
    assert (there.lon, there.lat) == (tokyo.lon, tokyo.lat)
    assert to_wgs84(there) == tokyo


@pytest.mark.req("X-GEO-01a")
def test_cgcs2000_is_taken_as_wgs84_and_accuracy_is_kept() -> None:
    assert to_wgs84(at(*WUXI, Datum.CGCS2000, 12)) == at(*WUXI, Datum.WGS84, 12)
    assert from_wgs84(at(*WUXI, accuracy_m=12), Datum.BD09).accuracy_m == 12


@pytest.mark.parametrize(
    ("lon", "lat", "accuracy_m"),
    [(181, 0, None), (0, -91, None), (nan, 0, None), (0, nan, None), (0, 0, -1), (0, 0, nan), (0, 0, float("inf"))],
)
def test_no_place_on_earth_is_refused(lon: float, lat: float, accuracy_m: float | None) -> None:
    with pytest.raises(Refused) as caught:
        at(lon, lat, accuracy_m=accuracy_m)
    assert caught.value.code == "geo.range"


@pytest.mark.req("X-SUP-01")
@pytest.mark.parametrize(
    ("here", "there", "metres"),
    [
        (WUXI, WUXI, 0),
        (WUXI, (120.3038, 31.5747), 208.83876031494637),
        (WUXI, (120.3016, 31.5765), 199.58293792771613),
        ((121.65, 31.8), (121.66, 31.81), 1458.1431265270057),
        ((115.37, 22.78), (119.45, 32.2), 1118712.8824122094),
        (WUXI, (106.55, 29.56), 1337054.3291886614),
        ((0, 0), (0, 89.9), 9990796.331471464),
        ((-70, -50), (120, 60), 18725659.680109646),
    ],
)
def test_distance_agrees_with_geographiclib(
    here: tuple[float, float], there: tuple[float, float], metres: float
) -> None:
    assert distance_m(at(*here), at(*there)) == pytest.approx(metres, rel=1e-5)
    assert distance_m(at(*there), at(*here)) == pytest.approx(metres, rel=1e-5)


def test_opposite_points_have_a_distance() -> None:
    assert distance_m(at(0, 0), at(180, 0)) == pytest.approx(20003931, rel=0.005)


@pytest.mark.req("X-SUP-01", "X-GEO-01a")
@pytest.mark.parametrize(
    ("accuracy_m", "metres"), [(None, 209), (0, 209), (9, 200), (9.5, 199), (100, 109), (5000, 109), (8.3, 201)]
)
def test_checkin_takes_off_at_most_100_metres(accuracy_m: float | None, metres: int) -> None:
    assert checkin_distance_m(at(*WUXI), at(120.3038, 31.5747, accuracy_m=accuracy_m)) == metres


@pytest.mark.req("X-SUP-01")
def test_checkin_is_never_negative_and_never_mixes_systems() -> None:
    home = from_wgs84(at(*WUXI, accuracy_m=500), Datum.BD09)
    assert checkin_distance_m(home, at(*WUXI, accuracy_m=20)) == 0
    assert checkin_distance_m(home, at(120.3038, 31.5747)) == 209


SQUARE = [[120, 31], [121, 31], [121, 32], [120, 32], [120, 31]]
HOLE = [[120.4, 31.4], [120.6, 31.4], [120.6, 31.6], [120.4, 31.6], [120.4, 31.4]]
NEXT = [[121, 31], [122, 31], [122, 32], [121, 32]]


@pytest.mark.parametrize(
    ("lon", "lat", "is_inside"),
    [(120.1, 31.1, True), (120.5, 31.5, False), (119.9, 31.5, False), (120.5, 32.5, False), (121.5, 31.5, False)],
)
def test_inside_a_polygon_with_a_hole(lon: float, lat: float, is_inside: bool) -> None:  # noqa: FBT001 - a table of cases
    assert inside(at(lon, lat), {"type": "Polygon", "coordinates": [SQUARE, HOLE]}) is is_inside


def test_inside_any_of_several_and_after_conversion() -> None:
    both = {"type": "MultiPolygon", "coordinates": [[SQUARE], [NEXT]]}
    assert inside(at(121.5, 31.5), both)
    shown_outside = from_wgs84(at(121.999, 31.5), Datum.GCJ02)
    assert shown_outside.lon > 122
    assert inside(shown_outside, both)


def test_a_point_of_a_common_border_belongs_to_one() -> None:
    border = at(121, 31.5)
    assert [inside(border, {"type": "Polygon", "coordinates": [ring]}) for ring in (SQUARE, NEXT)].count(True) == 1


def test_a_line_has_no_inside() -> None:
    with pytest.raises(ValueError, match="LineString"):
        inside(at(0, 0), {"type": "LineString", "coordinates": []})
