"""Sign-in for tests: no waiting, and mail read like a person reads it."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.views import signing_in


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Answers come without the pause that hides who has an account."""
    monkeypatch.setattr(signing_in, "ANSWER_AFTER_SECONDS", 0)


@pytest.fixture(autouse=True)
def _nothing_counted_yet():
    cache.clear()


class Mailbox:
    """The newest mail, and the code and link in it."""

    @property
    def newest(self):
        return mail.outbox[-1]

    @property
    def code(self):
        return re.search(r"^(\d{6})$", self.newest.body, re.MULTILINE).group(1)

    @property
    def link(self):
        return re.search(r"http://127\.0\.0\.1:8000(/\S+)", self.newest.body).group(1)

    def __len__(self):
        return len(mail.outbox)


@pytest.fixture
def mailbox():
    return Mailbox()


class Visitor(Client):
    """A browser whose requests commit, so that mail goes out as in life."""

    def __init__(self, capture, **kwargs):
        super().__init__(**kwargs)
        self.capture = capture

    def request(self, **request):
        with self.capture(execute=True):
            return super().request(**request)

    @property
    def person(self):
        """Who is signed in, or None."""
        from accounts.models import User

        return User.objects.filter(pk=self.session.get("_auth_user_id")).first()


@pytest.fixture
def visitor(django_capture_on_commit_callbacks):
    return Visitor(django_capture_on_commit_callbacks)


@pytest.fixture
def another_browser(django_capture_on_commit_callbacks):
    return Visitor(django_capture_on_commit_callbacks)
