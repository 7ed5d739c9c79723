"""Temporary look at the board."""
import random
from datetime import datetime, timedelta, time
import pytest
from django.test import Client
from tests.browser.looking import DESK, axe_findings, shoot, sideways
from tests.factories import *
from tests.screens.test_in_browser import enter
from yinling.dispatch.models import DayPlan
from yinling.dispatch.queries import *
from yinling.dispatch.queries.boards import *
from yinling.ground.clock import business_now
from yinling.kernel.period import SHANGHAI, local_date
from yinling.ground.scope import scope
from yinling.web.console import dispatch_board, dispatch_plans
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAMES="李敏 王芳 张丽 赵静 陈霞 周燕 吴娟 徐梅 孙萍 胡红 朱琴 高玲 林凤 何秀英 郭玉兰 马桂英 罗秀兰 梁淑珍 宋丽华 郑晓燕 谢建华 韩冬梅 唐小红 冯丽娟 于秀云".split()
ELD="王秀英 张桂兰 李淑芬 陈玉珍 刘凤英 杨秀珍 赵桂英 黄素珍 周秀兰 吴玉兰 徐凤珍 孙桂珍 马淑英 朱玉梅 胡秀芳 郭桂花 欧阳淑芬".split()
def fake(day, n=25):
    rnd=random.Random(3); routes=[]; oid=100
    for i,name in enumerate(NAMES[:n]):
        t=datetime.combine(day,time(8),SHANGHAI)+timedelta(minutes=rnd.choice([0,10,25])); stops=[]
        lon,lat=120.30+rnd.uniform(-.02,.02),31.57+rnd.uniform(-.02,.02)
        k=0 if i==7 else rnd.choice([3,4,5,6])
        for j in range(k):
            oid+=1; way=rnd.choice([4,7,12,15,21]); s=t+timedelta(minutes=way); d=rnd.choice([30,45,60,60,90,120]); e=s+timedelta(minutes=d)
            late=14 if (i==3 and j==2) else 0
            stops.append(StopRow(oid,1,j+1,f"W-260615-{oid:04d}",oid,rnd.choice(ELD),"清名桥街道人民中路18号3单元502室",lon+rnd.uniform(-.01,.01),lat+rnd.uniform(-.01,.01),s,e,s-timedelta(minutes=30),s-timedelta(minutes=late) if late else s+timedelta(minutes=30),way,late,i==5 or (i==2 and j==1),i==1 and j==0,2 if i in(0,1) and j==1 else 1,"助浴","placed","accepted" if i==4 else "",("超出责任区",) if i==6 and j==0 else ()))
            t=e
            if j==2: t+=timedelta(minutes=40)
        br=((stops[2].ends_at,stops[2].ends_at+timedelta(minutes=35)),) if len(stops)>3 else ()
        work=sum(int((s.ends_at-s.starts_at).total_seconds()/60) for s in stops)
        routes.append(RouteRow(i+1,name,"ebike",i==5,work,sum(s.way_minutes for s in stops),360,540,datetime.combine(day,time(8),SHANGHAI),datetime.combine(day,time(18),SHANGHAI),br,"病假" if i==7 else "",tuple(stops),(lon,lat),(lon,lat)))
    # pair
    a=routes[0].stops[1]; 
    from dataclasses import replace
    b=replace(routes[1].stops[1],order_id=a.order_id,slot=2,elder_name=a.elder_name)
    routes[1]=replace(routes[1],stops=(routes[1].stops[0],b,*routes[1].stops[2:]))
    w=datetime.combine(day,time(9),SHANGHAI)
    left=tuple(LeftRow(900+i,1,f"W-260615-09{i:02}",1,ELD[i],"崇安街道",120.3+i/100,31.58,w,w+timedelta(hours=1),60,i==0,1,"压疮护理",("没有人有护士执业证书" if i else "可上门时段内没有空档",)) for i in range(3))
    st=[s for r in routes for s in r.stops]
    tot=Totals(len(st),3,n,1,sum(r.work_minutes for r in routes),sum(r.way_minutes for r in routes),1,14)
    cost=tuple(CostRow(c,l,a,a) for c,l,a in (("travel","路上",1023),("tardiness","迟到",42),("overtime","超合同工时",20),("wish","换人、方言等意愿",310),("imbalance","忙闲不均",33.4),("left_out","未排入",3000)))
    return Board(tuple(routes),left,cost,tot,())
@pytest.mark.parametrize("state",["ready","published"])
def test_look(page, live_server, monkeypatch, state):
    who=enter(page,live_server,"dispatcher")
    with scope(WIDE):
        body=make_organisation(short_name="安心居家")
        day=local_date(business_now())+timedelta(days=1)
        common=dict(div="320213001",provider=body,day=day,cause="day",requested_by_id=who.user_id,created_at=NOW,changed_at=NOW,cost={"total":4428,"travel":1023})
        plan=DayPlan.objects.create(number=1,**common)
        other=DayPlan.objects.create(number=2,**common)
        for p,path in ((plan,["running","ready"]+(["published"] if state=="published" else [])),(other,["running"])):
            for s in path:
                p.state=s
                if s=="published": p.published_by_id=who.user_id; p.published_at=NOW
                p.save()
        other.progress=37; other.settings={"seconds":10}; other.save()
    monkeypatch.setattr(dispatch_board,"plan_board",lambda actor,plan: fake(day))
    monkeypatch.setattr(dispatch_plans,"plan_board",lambda actor,plan: fake(day))
    def eff(actor,plan,o,s,staff,position=None,at=None):
        if staff==4: return Effect(False,("与 10:05 陈玉珍 的上门时间重叠",))
        return Effect(True,(),12.5,9,0,at or datetime.combine(day,time(10,20),SHANGHAI),((102,w:=datetime.combine(day,time(11),SHANGHAI),w+timedelta(minutes=15)),),("超合同工时 20 分",))
    monkeypatch.setattr(dispatch_board,"effect_of_move",eff)
    errs=[]
    page.on("pageerror",lambda e:errs.append(str(e))); page.on("console",lambda m:errs.append(m.text) if m.type in("error","warning") else None)
    if state=="ready":
        page.set_viewport_size(DESK)
        page.goto(f"{live_server.url}/dispatch/plans/?day={day}")
        shoot(page,"zz-plans"); print(axe_findings(page))
        page.goto(f"{live_server.url}/dispatch/plans/{plan.pk}/publish/"); shoot(page,"zz-publish"); print(axe_findings(page))
        page.goto(f"{live_server.url}/dispatch/plans/{other.pk}/"); shoot(page,"zz-progress"); print(axe_findings(page))
        page.goto(f"{live_server.url}/dispatch/plans/{plan.pk}/sheets/"); shoot(page,"zz-sheets"); print(axe_findings(page))
    for size in (DESK,{"width":1920,"height":1080}):
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/dispatch/plans/{plan.pk}/")
        page.wait_for_timeout(400); shoot(page,f"zz-board-{state}"); print(sideways(page), axe_findings(page))
        v=page.locator(".lane .v").nth(9); v.click(); page.wait_for_timeout(500); shoot(page,f"zz-board-{state}-chosen"); print(axe_findings(page))
        if state=="published": continue
        page.keyboard.press("Escape"); v.focus(); page.keyboard.press("m"); page.keyboard.press("ArrowDown"); page.wait_for_timeout(600); shoot(page,f"zz-board-{state}-moving"); print(axe_findings(page))
        page.keyboard.press("Escape"); page.wait_for_timeout(300)
        b=v.bounding_box(); page.mouse.move(b["x"]+10,b["y"]+10); page.mouse.down(); page.mouse.move(b["x"]+60,b["y"]+100,steps=5); page.wait_for_timeout(500); shoot(page,f"zz-board-{state}-drag"); 
    html=page.content()
    import gzip; print(len(html),len(gzip.compress(html.encode())))
    print(errs)
