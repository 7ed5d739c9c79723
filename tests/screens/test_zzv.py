from datetime import timedelta
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.screens.test_dispatch import *
from tests.screens.test_dispatch import Desk
from tests.screens.test_orders import form_of

def test_dump(sign_in, desk):
    client = sign_in("dispatcher")
    client.post("/do/assign_order/", form_of(client.get("/dispatch/").content.decode(), "assign_order"))
    desk.wanted()
    with CaptureQueriesContext(connection) as q:
        assert client.get("/dispatch/").status_code == 200
    for i, x in enumerate(q): print(i, x["sql"][:100], "...FROM", x["sql"].split(" FROM ",1)[-1][:400]); print()
