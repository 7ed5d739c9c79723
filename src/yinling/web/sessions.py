"""Whose session a request is in: the two questions with which every page begins, their SQL made once."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session

from yinling.accounts.models import User
from yinling.ground.clock import real_now
from yinling.ground.kept import Given, Kept

SESSION = Kept(lambda: Session.objects.filter(session_key=Given("key"), expire_date__gt=Given("now")))
USER = Kept(lambda: User.objects.filter(pk=Given("pk")))


class SessionStore(DatabaseStore):
    """Sessions as Django keeps them in the database."""

    def _get_session_from_db(self) -> Session | None:
        """Return the row of the session; without one its key is forgotten."""
        found = next(iter(SESSION(key=self.session_key, now=real_now())), None)
        if found is None:
            self._session_key = None
        return found


class Backend(ModelBackend):
    """Logins by name and password, as Django checks them."""

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, if still active."""
        found = next(iter(USER(pk=user_id)), None)
        return found if found is not None and self.user_can_authenticate(found) else None
