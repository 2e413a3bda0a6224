"""Telling people once, in their words, and by mail only if they wish."""

import datetime as dt

import pytest
import time_machine
from django.core import mail
from django.template import TemplateDoesNotExist
from django.test import override_settings

from accounts.models import Notice
from accounts.services import notices
from marketplace.core import clock, outbox
from marketplace.core.errors import DomainError, InvalidInput
from marketplace.core.money import Money
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def words(tmp_path, settings):
    """Words of a made-up notice, the way every app writes its own."""
    folder = tmp_path / "accounts" / "notices"
    folder.mkdir(parents=True)
    (folder / "paid.txt").write_text(
        "{{ amount|money }} for “{{ title }}” by {{ name }} on {{ due|day }}\n"
    )
    (folder / "paid.subject.txt").write_text("{{ amount|money }} held\n")
    (folder / "paid.body.txt").write_text("First.\n\nSecond.")
    (folder / "paid.button.txt").write_text("Open the contract")
    (folder / "plain.txt").write_text("{{ name }} wrote to you")
    templates = settings.TEMPLATES[0]
    with override_settings(TEMPLATES=[{**templates, "DIRS": [tmp_path, *templates["DIRS"]]}]):
        yield


FACTS = {
    "amount": Money(110000, "EUR"),
    "title": "A & B <b>",
    "name": "Ines O'Hara",
    "due": dt.date(2030, 12, 3),
}


@pytest.fixture
def tell(django_capture_on_commit_callbacks):
    def tell(*users, kind="paid", key="k", url="/contracts/x/", group="work", facts=FACTS):
        with django_capture_on_commit_callbacks(execute=True):
            notices.notify(users, kind, key=key, url=url, group=group, facts=facts)

    return tell


def test_one_happening_is_told_once_to_each(tell):
    ines, kai = UserFactory(), UserFactory()
    tell(ines, kai, ines)
    tell(ines)
    assert Notice.objects.filter(user=ines).count() == 1
    assert ines.unread_notices == 1
    assert sorted(message.to[0] for message in mail.outbox) == sorted([ines.email, kai.email])


def test_words_are_filled_with_facts_and_never_escaped_twice(tell):
    ines = UserFactory()
    tell(ines)
    line = notices.line_of(Notice.objects.get())
    assert line == "€1,100.00 for “A & B <b>” by Ines O'Hara on Tue 3 Dec 2030"


def test_words_are_in_the_language_of_the_reader(tell):
    ines = UserFactory(language="de")
    tell(ines)
    assert mail.outbox[0].subject == "1.100,00 € held"


def test_the_mail_has_text_and_html_one_button_and_a_way_out(tell):
    ines = UserFactory()
    tell(ines)
    letter = mail.outbox[0]
    html = letter.alternatives[0][0]
    assert letter.subject == "€1,100.00 held"
    assert "Open the contract:\nhttp://127.0.0.1:8000/contracts/x/" in letter.body
    assert "<p>First.</p>" in html
    assert "A &amp; B &lt;b&gt;" in html
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/unsubscribe/" in letter.extra_headers["List-Unsubscribe"]
    assert "/unsubscribe/" in letter.body


def test_who_switched_mail_off_is_told_in_the_product_only(tell):
    ines = UserFactory()
    notices.set_mail_wishes(ines, {"work": False})
    tell(ines)
    assert ines.unread_notices == 1
    assert mail.outbox == []


def test_money_goes_by_mail_whatever_the_wish_and_cannot_be_stopped(tell):
    ines = UserFactory()
    notices.set_mail_wishes(ines, {"money": False})
    tell(ines, group="money")
    assert len(mail.outbox) == 1
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers
    with pytest.raises(DomainError):
        notices.set_by_link(notices.sign_off(ines, "money"), by_mail=False)


def test_a_link_in_the_mail_stops_its_kind_and_only_that(tell):
    ines = UserFactory()
    notices.set_by_link(notices.sign_off(ines, "work"), by_mail=False)
    tell(ines, key="a", group="work")
    assert mail.outbox == []
    notices.set_by_link(notices.sign_off(ines, "work"), by_mail=True)
    tell(ines, key="b", group="work")
    assert len(mail.outbox) == 1
    with pytest.raises(InvalidInput):
        notices.set_by_link("forged", by_mail=False)


def test_a_message_is_mailed_after_ten_minutes_unless_it_was_read(tell):
    ines, kai = UserFactory(), UserFactory()
    tell(ines, kai, kind="plain", group="messages")
    assert mail.outbox == []
    notices.mark_read(Notice.objects.get(user=kai))
    with time_machine.travel(clock.now() + notices.PATIENCE, tick=False):
        outbox.deliver_due()
        outbox.deliver_due()
    assert [message.to[0] for message in mail.outbox] == [ines.email]


def test_messages_of_one_thread_share_a_mail(tell):
    ines = UserFactory()
    for n in range(3):
        tell(ines, kind="plain", key=f"m{n}", group="messages")
    tell(ines, kind="plain", key="other", url="/contracts/y/", group="messages")
    with time_machine.travel(clock.now() + notices.PATIENCE, tick=False):
        for _round in range(2):
            outbox.deliver_due()
    assert sorted(message.subject for message in mail.outbox) == [
        "3 new messages",
        "Ines O'Hara wrote to you",
    ]
    assert mail.outbox[0].body.count("wrote to you") in {1, 3}


def test_matches_come_in_one_mail_at_eight_in_the_morning_there(tell):
    ines = UserFactory(time_zone="America/New_York")
    with time_machine.travel("2030-01-10 15:00:00+00:00", tick=False):
        tell(ines, kind="plain", key="a", url="/projects/a/", group="matches")
        tell(ines, kind="plain", key="b", url="/projects/b/", group="matches")
    with time_machine.travel("2030-01-11 12:59:00+00:00", tick=False):
        outbox.deliver_due()
        assert mail.outbox == []
    with time_machine.travel("2030-01-11 13:00:00+00:00", tick=False):
        outbox.deliver_due()
        outbox.deliver_due()
    assert [message.subject for message in mail.outbox] == ["2 new matches"]
    assert "/notifications/" in mail.outbox[0].body


def test_a_notice_nobody_wrote_words_for_is_a_bug_at_once(tell):
    with pytest.raises(TemplateDoesNotExist):
        tell(UserFactory(), kind="nameless")


def test_reading_all_leaves_nothing_new(tell):
    ines = UserFactory()
    tell(ines, key="a")
    tell(ines, key="b", url="/contracts/y/")
    notices.mark_read_at(ines, "/contracts/y/")
    assert ines.unread_notices == 1
    assert notices.mark_all_read(ines) == 1
    assert ines.unread_notices == 0
