"""Joining and signing in by code, link and password, and what strangers cannot learn."""

import time
import unicodedata

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import override_settings
from time_machine import travel

from accounts.models import User
from accounts.views import signing_in
from marketplace.core import clock
from marketplace.core.models import AuditRow, Draft
from tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "four quiet words here"


def join(visitor, email="ines@example.test", name="Ines Kovač", **more):
    return visitor.post("/join/", {"name": name, "email": email, **more})


def ask_for_code(visitor, email, onward=""):
    return visitor.post(f"/sign-in/?next={onward}", {"login": email})


# --- Joining --------------------------------------------------------------------------------


def test_name_and_address_then_the_code_and_one_is_in(visitor, mailbox):
    response = join(visitor, side="hire", time_zone="Europe/Berlin")
    assert response["Location"] == "/sign-in/sent/"
    assert visitor.person is None
    response = visitor.post("/sign-in/sent/", {"code": mailbox.code})
    assert response["Location"] == "/home/"
    person = visitor.person
    assert (person.name, person.side, person.time_zone) == ("Ines Kovač", "hire", "Europe/Berlin")
    assert person.party.name == "Ines Kovač"
    assert EmailAddress.objects.get(user=person).verified
    assert mailbox.code in mailbox.newest.subject


def test_the_link_in_the_mail_does_the_same_in_any_browser(visitor, another_browser, mailbox):
    join(visitor)
    page = another_browser.get(mailbox.link)
    assert page.status_code == 200
    assert another_browser.person is None, "opening a link changes nothing"
    response = another_browser.post(mailbox.link)
    assert response["Location"] == "/home/"
    assert another_browser.person.email == "ines@example.test"
    assert EmailAddress.objects.get(email="ines@example.test").verified


def test_before_the_address_is_proven_nobody_is_in(visitor):
    join(visitor)
    assert visitor.get("/settings/")["Location"].startswith("/sign-in/")


def test_a_strange_time_zone_does_not_stop_anybody(visitor):
    join(visitor, time_zone="Mars/Base")
    assert User.objects.get().time_zone == "UTC"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": ""}, "Enter your name"),
        ({"email": ""}, "Enter your e-mail address"),
        ({"email": "ines@"}, "Enter a whole e-mail address"),
        ({"name": "Bidwell Support"}, "looks like ours"),
    ],
)
def test_what_is_missing_is_said_in_words(visitor, values, words):
    page = join(visitor, **values)
    assert words in page.content.decode()
    assert not User.objects.exists()


def test_after_joining_the_way_leads_on_to_what_one_was_doing(visitor, mailbox):
    join(visitor, next="/projects/museum-x/bid/")
    response = visitor.post("/sign-in/sent/", {"code": mailbox.code})
    assert response["Location"] == "/projects/museum-x/bid/"


def test_the_link_leads_on_too(visitor, another_browser, mailbox):
    join(visitor, next="/projects/museum-x/bid/")
    assert another_browser.post(mailbox.link)["Location"] == "/projects/museum-x/bid/"


def test_what_was_typed_before_joining_belongs_to_the_person_after(visitor, mailbox):
    session = visitor.session
    session["draft_owner"] = "anonymous"
    session.save()
    Draft.objects.create(
        session_key="anonymous", kind="bid", values={"message": "Hi"}, updated_at=clock.now()
    )
    join(visitor)
    visitor.post("/sign-in/sent/", {"code": mailbox.code})
    assert Draft.objects.get().user == visitor.person


# --- Codes and links ------------------------------------------------------------------------


def test_a_code_by_mail_signs_in_and_leaves_a_trace(visitor, mailbox):
    user = UserFactory()
    response = ask_for_code(visitor, user.email, "/settings/")
    assert response["Location"] == "/sign-in/code/?next=%2Fsettings%2F"
    key_before = visitor.session.session_key
    response = visitor.post(
        "/sign-in/code/?next=/settings/", {"code": f" {mailbox.code[:3]} {mailbox.code[3:]}"}
    )
    assert response["Location"] == "/settings/"
    assert visitor.person == user
    assert visitor.session.session_key != key_before, "the session key rotates"
    assert AuditRow.objects.get(action="user.signed_in").facts == {"methods": ["code"]}


def test_wrong_codes_count_down_and_then_end(visitor, mailbox):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    right = mailbox.code
    wrong = "000000" if right != "000000" else "111111"
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        page = visitor.post("/sign-in/code/", {"code": wrong})
        assert page.status_code == 422
        assert f"You have {left} left" in page.content.decode()
    assert visitor.post("/sign-in/code/", {"code": wrong})["Location"] == "/sign-in/"
    visitor.post("/sign-in/code/", {"code": right})
    assert visitor.person is None


def test_a_code_is_of_no_use_in_another_browser(visitor, another_browser, mailbox):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    another_browser.post("/sign-in/code/", {"code": mailbox.code})
    assert another_browser.person is None


def test_a_code_dies_after_a_quarter_of_an_hour(visitor, mailbox):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    code = mailbox.code
    with travel(clock.now().timestamp() + 901, tick=False):
        visitor.post("/sign-in/code/", {"code": code})
    assert visitor.person is None


def test_it_can_be_sent_again_and_only_the_new_code_counts(visitor, mailbox):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    first = mailbox.code
    visitor.post("/sign-in/code/", {"action": "resend"})
    assert len(mailbox) == 2
    if first != mailbox.code:
        visitor.post("/sign-in/code/", {"code": first})
        assert visitor.person is None
    visitor.post("/sign-in/code/", {"code": mailbox.code})
    assert visitor.person == user


def test_a_link_works_once_and_not_after_any_other_sign_in(visitor, another_browser, mailbox):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    link = mailbox.link
    visitor.post("/sign-in/code/", {"code": mailbox.code})
    assert another_browser.post(link).status_code == 410
    assert another_browser.person is None


def test_a_link_is_dead_when_old_forged_or_of_a_closed_account(visitor, another_browser, mailbox):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    link = mailbox.link
    with travel(clock.now().timestamp() + 901, tick=False):
        assert another_browser.get(link).status_code == 410
    assert another_browser.get("/sign-in/link/made:up:token/").status_code == 410
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert another_browser.post(link).status_code == 410


def test_a_link_of_another_account_says_whose_session_ends(visitor, another_browser, mailbox):
    user, present = UserFactory(), UserFactory()
    ask_for_code(visitor, user.email)
    another_browser.force_login(present, "django.contrib.auth.backends.ModelBackend")
    page = another_browser.get(mailbox.link).content.decode()
    assert user.email in page
    assert present.email in page
    another_browser.post(mailbox.link)
    assert another_browser.person == user


def test_links_in_mail_never_follow_a_forged_host(visitor, mailbox):
    user = UserFactory()
    visitor.post("/sign-in/", {"login": user.email}, headers={"X-Forwarded-Host": "evil.example"})
    assert mailbox.newest.body.count("http://127.0.0.1:8000/") >= 1
    assert "evil.example" not in mailbox.newest.body
    refused = visitor.post("/sign-in/", {"login": user.email}, headers={"Host": "evil.example"})
    assert refused.status_code == 400


def test_newcomers_are_told_where_the_mail_was_written(visitor, settings):
    user = UserFactory()
    ask_for_code(visitor, user.email)
    assert "sends no mail" not in visitor.get("/sign-in/code/").content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(settings.BASE_DIR / "var" / "mail")
    assert "var/mail" in visitor.get("/sign-in/code/").content.decode()


# --- Where to -------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "\\\\evil.example/",
    "/\\evil.example/",
    "/\\/evil.example/",
    "https:/evil.example",
    "https:///evil.example",
    "http://127.0.0.1@evil.example/",
    "javascript:alert(1)",
    "/\tevil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "/%0a/evil.example\r\nSet-Cookie: a=b",
    "／／evil.example",
    "evil.example",
    "data:text/html,x",
    "http://127.0.0.1:8000.evil.example/",
]


@pytest.mark.parametrize("onward", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(visitor, mailbox, onward):
    user = UserFactory()
    visitor.post("/sign-in/", {"login": user.email, "next": onward})
    response = visitor.post("/sign-in/code/", {"code": mailbox.code, "next": onward})
    assert response["Location"] == "/home/"


@pytest.mark.parametrize("onward", ELSEWHERE)
def test_nobody_is_sent_elsewhere_by_a_link_or_on_the_way_out(
    visitor, another_browser, mailbox, onward
):
    user = UserFactory()
    visitor.post("/sign-in/", {"login": user.email, "next": onward})
    assert another_browser.post(mailbox.link)["Location"] == "/home/"
    assert another_browser.post("/sign-out/", {"next": onward})["Location"] == "/"


def test_who_is_in_already_goes_where_they_wanted(visitor):
    visitor.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    assert visitor.get("/sign-in/?next=/settings/")["Location"] == "/settings/"


# --- What strangers learn -------------------------------------------------------------------


def bare(response):
    body = response.content.decode()
    for varying in ("csrfmiddlewaretoken", "X-CSRFToken"):
        body = "\n".join(line for line in body.split("\n") if varying not in line)
    return response.status_code, response.headers.get("Location"), body


@pytest.mark.parametrize("address", ["/sign-in/", "/join/", "/password/forgotten/"])
def test_known_and_unknown_addresses_get_the_same_answer(visitor, another_browser, address):
    UserFactory(email="known@example.test")
    field = "login" if address == "/sign-in/" else "email"
    answers = []
    for browser, email in (
        (visitor, "known@example.test"),
        (another_browser, "other@example.test"),
    ):
        first = browser.post(address, {field: email, "name": "Some Body"})
        page = browser.get(first["Location"])
        wrong = browser.post(first["Location"], {"code": "999999"})
        answers.append([bare(r) for r in (first, page, wrong)])
    known, unknown = (
        [(status, to, body.replace("known@", "other@")) for status, to, body in answer]
        for answer in answers
    )
    assert known == unknown


def test_both_get_a_mail_that_helps_them_on(visitor, another_browser, mailbox):
    UserFactory(email="known@example.test")
    join(visitor, email="known@example.test")
    assert mailbox.newest.subject == "You have an account at Bidwell"
    another_browser.post(mailbox.link)
    assert another_browser.person.email == "known@example.test"
    ask_for_code(visitor, "other@example.test")
    assert mailbox.newest.subject == "No account at Bidwell with this address"
    assert User.objects.count() == 1


def test_the_clock_does_not_tell_either(visitor, monkeypatch):
    monkeypatch.setattr(signing_in, "ANSWER_AFTER_SECONDS", 1.0)
    UserFactory(email="known@example.test")
    for email in ("known@example.test", "other@example.test"):
        visitor.cookies.clear()
        start = time.monotonic()
        ask_for_code(visitor, email)
        # Only the lower end: how much later the answer comes is up to the machine.
        assert time.monotonic() - start >= signing_in.ANSWER_AFTER_SECONDS


# --- Passwords ------------------------------------------------------------------------------


def test_a_password_signs_in_too(visitor):
    user = UserFactory(password=PASSWORD)
    response = visitor.post(
        "/sign-in/password/", {"login": user.email, "password": PASSWORD, "next": "/settings/"}
    )
    assert response["Location"] == "/settings/"
    assert visitor.person == user


def test_a_password_matches_however_a_keyboard_composes_it(visitor):
    user = UserFactory(password=unicodedata.normalize("NFC", "é vier leise wörter"))
    visitor.post(
        "/sign-in/password/",
        {"login": user.email, "password": unicodedata.normalize("NFD", "é vier leise wörter")},
    )
    assert visitor.person == user


def test_a_wrong_password_an_unknown_address_and_no_password_sound_the_same(visitor):
    with_password, without = UserFactory(password=PASSWORD), UserFactory()
    pages = [
        visitor.post("/sign-in/password/", {"login": email, "password": "wrong wrong"})
        for email in (with_password.email, without.email, "nobody@example.test")
    ]
    assert {page.status_code for page in pages} == {200}
    for page in pages:
        assert "E-mail address and password do not match" in page.content.decode()
    assert visitor.person is None


@pytest.fixture
def limits(settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,5/15m/key", "login": "30/m/ip"}


def test_after_five_wrong_passwords_that_place_waits_and_the_owner_is_told(
    limits, visitor, another_browser, mailbox
):
    user = UserFactory(password=PASSWORD)
    for _try in range(5):
        visitor.post("/sign-in/password/", {"login": user.email, "password": "wrong wrong"})
    page = visitor.post("/sign-in/password/", {"login": user.email, "password": PASSWORD})
    assert "That was too often" in page.content.decode()
    assert visitor.person is None
    assert mailbox.newest.subject == "Somebody tries passwords for your Bidwell account"
    assert AuditRow.objects.filter(action="user.sign_in_refused", subject_id=user.pk).exists()
    another_browser.defaults["REMOTE_ADDR"] = "203.0.113.9"
    another_browser.post("/sign-in/password/", {"login": user.email, "password": PASSWORD})
    assert another_browser.person == user, "strangers lock nobody out"


def test_one_password_over_many_accounts_is_stopped_by_its_source(limits, visitor):
    answers = [
        visitor.post(
            "/sign-in/password/", {"login": f"p{n}@example.test", "password": "spring2027"}
        ).content.decode()
        for n in range(21)
    ]
    assert "do not match" in answers[19]
    assert "That was too often" in answers[20]


def test_too_many_requests_are_told_to_wait(settings, visitor):
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}
    join(visitor)
    visitor.cookies.clear()
    assert join(visitor, email="b@example.test").status_code == 429


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "8"),
        ("password1", "common"),
        ("Bidwell123", "first thing that would be tried"),
        ("x" * 129, "limit is 128"),
        ("x" * 1_000_000, "limit is 128"),
    ],
)
def test_bad_passwords_are_refused_with_a_reason(visitor, password, words):
    user = UserFactory()
    visitor.force_login(user, "django.contrib.auth.backends.ModelBackend")
    page = visitor.post("/password/set/", {"password1": password, "password2": password})
    assert words in page.content.decode()
    user.refresh_from_db()
    assert not user.has_usable_password()


@pytest.mark.parametrize("password", ["vier leise wörter", "🦉🦉 owl at night", "x9" * 64])
def test_long_phrases_of_any_letters_are_welcome(visitor, another_browser, password):
    user = UserFactory()
    visitor.force_login(user, "django.contrib.auth.backends.ModelBackend")
    visitor.post("/password/set/", {"password1": password, "password2": password})
    another_browser.post("/sign-in/password/", {"login": user.email, "password": password})
    assert another_browser.person == user


def test_a_reset_link_works_once_and_signs_nobody_in(visitor, another_browser, mailbox):
    user = UserFactory(password=PASSWORD)
    visitor.post("/password/forgotten/", {"email": user.email})
    form = visitor.get(visitor.get(mailbox.link)["Location"])
    assert form.status_code == 200
    new = {"password1": "five other quiet words", "password2": "five other quiet words"}
    link = mailbox.link
    visitor.post(form.request["PATH_INFO"], new)
    assert visitor.person is None
    user.refresh_from_db()
    assert user.check_password("five other quiet words")
    assert mailbox.newest.subject == "Your password was changed"
    assert "expired" in another_browser.get(link, follow=True).content.decode()


def test_a_reset_link_dies_after_an_hour(visitor, mailbox):
    user = UserFactory(password=PASSWORD)
    visitor.post("/password/forgotten/", {"email": user.email})
    with travel(clock.now().timestamp() + 3602, tick=False):
        assert "expired" in visitor.get(mailbox.link, follow=True).content.decode()


# --- Out ------------------------------------------------------------------------------------


def test_signing_out_ends_the_session_everywhere_it_was_copied(visitor, another_browser):
    visitor.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    cookie = visitor.cookies["sessionid"].value
    response = visitor.post("/sign-out/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    another_browser.cookies["sessionid"] = cookie
    assert another_browser.get("/settings/").status_code == 302
    assert AuditRow.objects.filter(action="user.signed_out").exists()


def test_a_link_to_sign_out_only_asks(visitor):
    user = UserFactory()
    visitor.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert visitor.get("/sign-out/").status_code == 200
    assert visitor.person == user


# --- Addresses and staff --------------------------------------------------------------------


def test_a_new_address_counts_when_its_code_was_entered_and_the_old_one_is_told(
    visitor, mailbox, settings
):
    settings.ACCOUNT_REAUTHENTICATION_REQUIRED = False
    user = UserFactory(email="old@example.test")
    visitor.force_login(user, "django.contrib.auth.backends.ModelBackend")
    response = visitor.post("/settings/email/", {"email": "new@example.test", "action_add": ""})
    assert response["Location"] == "/sign-in/sent/"
    assert mailbox.newest.to == ["new@example.test"]
    user.refresh_from_db()
    assert user.email == "old@example.test"
    visitor.post("/sign-in/sent/", {"code": mailbox.code})
    user.refresh_from_db()
    assert user.email == "new@example.test"
    assert mailbox.newest.to == ["old@example.test"]
    assert mailbox.newest.subject == "Your e-mail address was changed"


def test_sensitive_changes_ask_again_after_ten_minutes(visitor):
    user = UserFactory(password=PASSWORD)
    visitor.post("/sign-in/password/", {"login": user.email, "password": PASSWORD})
    asked = visitor.get("/settings/security/app/")
    assert asked["Location"].startswith("/settings/confirm/")
    visitor.post("/settings/confirm/?next=/settings/security/app/", {"password": PASSWORD})
    assert visitor.get("/settings/security/app/").status_code == 200


def test_staff_enter_the_admin_through_the_same_door(visitor):
    assert visitor.get("/admin/login/?next=/admin/")["Location"] == "/sign-in/?next=%2Fadmin%2F"
    visitor.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    assert visitor.get("/admin/login/").status_code == 403
    visitor.force_login(StaffFactory(), "django.contrib.auth.backends.ModelBackend")
    assert visitor.get("/admin/").status_code == 200


def test_staff_made_on_the_command_line_need_one_code_only(visitor, mailbox):
    User.objects.create_superuser("ops@example.test", name="Ops")
    ask_for_code(visitor, "ops@example.test", "/admin/")
    response = visitor.post("/sign-in/code/", {"code": mailbox.code, "next": "/admin/"})
    assert response["Location"] == "/admin/"
    assert visitor.get("/admin/").status_code == 200
    assert visitor.person.party is not None


@override_settings(SECRET_KEY="another" * 10)
def test_mail_speaks_the_language_of_its_reader(visitor):
    user = UserFactory(language="de")
    ask_for_code(visitor, user.email)
    assert mail.outbox[-1].alternatives[0][0].count('lang="de"') == 1
