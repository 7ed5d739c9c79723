from yinling.kernel.actor import Actor


def test_an_actor_has_the_rights_of_the_role() -> None:
    actor = Actor(1, "王敏", "seat", rights=frozenset({"orders.order.place"}))
    assert actor.has("orders.order.place")
    assert not actor.has("orders.order.cancel")


def test_an_actor_covers_the_area_below() -> None:
    actor = Actor(1, "王敏", "seat", div="3202")
    assert [actor.covers(div) for div in ("3202", "320213001", "32", "3203", "32021")] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert not Actor(1, "王敏", "seat").covers("3202")
