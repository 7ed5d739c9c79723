import random
from time import time as clk
import pytest
from tests.factories import *
from yinling.ground.scope import scope
from yinling.people.queries import find_elders, elders, Choice, elder_file
from yinling.people.rules import name_keys
from django.db import connection
from django.test.utils import CaptureQueriesContext
@pytest.mark.usefixtures("wide")
def test_x():
    make_area_tree()
    h = make_household()
    r = random.Random(1)
    sur = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    giv = "英秀兰芳桂珍玉凤明华国建平林根娣锡福荣德生金宝"
    es = [Elder(div=COMMUNITY, household=h, name=r.choice(sur)+r.choice(giv)+(r.choice(giv) if r.random()<.8 else ""), sex="2", born_on=date(1946,3,1), id_type="none", phone_last4=f"{r.randrange(10000):04d}", phone_index=r.randbytes(32), created_at=NOW, changed_at=NOW) for _ in range(6000)]
    Elder.objects.bulk_create(es, batch_size=1000)
    memo={}
    ks=[ElderKey(elder=e, div=e.div, kind=k, key=v) for e in es for k,v in (memo.setdefault(e.name) or memo.__setitem__(e.name, name_keys(e.name)) or memo[e.name])]
    ElderKey.objects.bulk_create(ks, batch_size=5000)
    seat = actor("seat")
    with scope(seat):
        for text in ("王秀英","王英","张","wangxiuying","wxy","wang","w","1234","19900001234","E-000123"):
            t=clk()
            with CaptureQueriesContext(connection) as seen:
                found=find_elders(seat,text)
            print(text, len(found), [f.name for f in found[:6]], round((clk()-t)*1000,1), [q["time"] for q in seen.captured_queries])
            if text in ("王秀英",):
                with connection.cursor() as c:
                    c.execute("EXPLAIN ANALYZE "+seen.captured_queries[0]["sql"]); print("\n".join(x[0][:150] for x in c.fetchall()))
