"""Joining in a real browser, on a phone, with and without JavaScript."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail

from accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"viewport": {"width": 390, "height": 844}}


def join_by_code(page, address):
    page.goto(f"{address}/join/?next=/settings/")
    page.get_by_label("Your name").fill("Ines Kovač")
    page.get_by_label("E-mail address").fill("ines@example.test")
    page.get_by_role("button", name="Send me the code").click()
    page.wait_for_url("**/sign-in/sent/**")
    code = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)
    page.get_by_label("Code from the mail").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/settings/")


@pytest.mark.parametrize("script", [True, False])
def test_a_phone_joins_with_two_fields_and_a_code(live_server, new_context, script):
    page = new_context(**PHONE, java_script_enabled=script, timezone_id="Asia/Tokyo").new_page()
    join_by_code(page, live_server.url)
    assert page.get_by_label("Your name").input_value() == "Ines Kovač"
    assert User.objects.get().time_zone == ("Asia/Tokyo" if script else "UTC")


def test_no_page_of_joining_is_wider_than_a_phone_or_hard_to_read(live_server, new_context):
    page = new_context(**PHONE).new_page()
    for path in ("/join/", "/sign-in/", "/sign-in/password/", "/people/", "/skills/"):
        page.goto(f"{live_server.url}{path}")
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide), path
        assert Axe().run(page).response["violations"] == [], path


def test_choosing_mail_works_with_script_and_complains_about_nothing(live_server, new_context):
    page = new_context(**PHONE).new_page()
    join_by_code(page, live_server.url)
    page.goto(f"{live_server.url}/settings/mail/")
    page.get_by_label("Matching projects and people").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Your wishes are saved.").wait_for()
    assert not page.get_by_label("Matching projects and people").is_checked()
    assert Axe().run(page).response["violations"] == []
