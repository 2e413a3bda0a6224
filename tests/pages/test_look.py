"""Every public page, as a person sees it."""

import gzip
from pathlib import Path

import django_htmx
import pytest
from django.conf import settings
from django.urls import reverse

from marketplace.core.management.commands.build_css import BUNDLES, joined
from tests.factories import StaffFactory, UserFactory
from tests.look import axe_faults, fetch, inspect, markup_faults, sign_in

STATIC = Path(settings.BASE_DIR) / "static"


def compressed(path):
    return len(gzip.compress(path.read_bytes()))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_built_css_is_what_its_sources_say(bundle):
    assert (STATIC / "css" / bundle).read_text() == joined(bundle), "run manage.py build_css"


def test_css_and_scripts_keep_to_their_byte_budgets():
    htmx = next((Path(django_htmx.__file__).parent / "static").rglob("htmx-2*.min.js"))
    own = compressed(STATIC / "js/app.js")

    assert compressed(STATIC / "css/app.css") <= 20_000
    assert own <= 6_000
    assert own + compressed(htmx) <= 25_000


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pages_that_found_nothing_are_accessible_small_and_inside_the_screen(
    live_server, new_context
):
    inspect(
        live_server.url, new_context, [("/fees/?amount=nonsense", None), ("/help/?q=zzz", None)]
    )


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_component_passes_with_a_clients_navigation_too(live_server, new_context):
    inspect(live_server.url, new_context, [("/styleguide/", StaffFactory(side="hire"))])


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_desk_of_moderators_wears_our_colours(live_server, new_context):
    staff = StaffFactory()
    pages = [
        (reverse(f"admin:{name}"), staff) for name in ("index", "core_outboxmessage_changelist")
    ]
    inspect(live_server.url, new_context, pages, stock=True)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_error_pages_are_pages(live_server, new_context, complaints):
    complaints.expect("404")
    inspect(
        live_server.url, new_context, [("/no-such-page/", None), ("/no-such-page/", UserFactory())]
    )


def test_the_page_for_broken_moments_needs_no_database():
    from django.template.loader import render_to_string

    for template in ("500.html", "503.html"):
        assert markup_faults(render_to_string(template, {"error_id": "7F3A"})) == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_menu_and_dialog_open_and_pass_too(live_server, new_context):
    context = new_context(service_workers="block")
    sign_in(context, live_server.url, StaffFactory())
    page = context.new_page()
    page.goto(live_server.url + "/styleguide/")

    page.get_by_role("button", name="Account menu").click()
    assert page.locator("#me").is_visible()
    assert axe_faults(page) == []
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Approve and release").last.click()
    assert page.get_by_role("dialog").is_visible()
    assert axe_faults(page) == []
    page.get_by_role("button", name="Not yet").click()
    assert page.get_by_role("dialog").count() == 0


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scripts", [True, False])
def test_the_theme_is_remembered_with_and_without_scripts(live_server, new_context, scripts):
    page = new_context(java_script_enabled=scripts, service_workers="block").new_page()
    page.goto(live_server.url + "/fees/")

    page.get_by_role("button", name="Switch between light and dark").click()
    page.goto(live_server.url + "/terms/")

    assert page.locator("html[data-theme=dark]").count() == 1
    page.get_by_role("button", name="Switch between light and dark").click()
    page.goto(live_server.url + "/terms/")
    assert page.locator("html[data-theme=light]").count() == 1


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_failed_form_leads_the_eye_and_keeps_the_text(live_server, new_context, complaints):
    complaints.expect("422")
    page = new_context(service_workers="block").new_page()
    page.goto(live_server.url + "/contact/")
    page.get_by_label("What happened").fill("My payment hangs.")
    page.get_by_role("button", name="Send message").click()

    assert page.title().startswith("Error: ")
    assert page.locator(".errors").evaluate("e => e === document.activeElement")
    page.get_by_role("link", name="Enter your name").click()
    assert page.get_by_label("Your name").evaluate("e => e === document.activeElement")
    assert page.get_by_label("What happened").input_value() == "My payment hangs."


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_fee_calculator_answers_while_typing_and_without_scripts(live_server, new_context):
    page = new_context(service_workers="block").new_page()
    page.goto(live_server.url + "/fees/")
    page.get_by_label("Price of the work").fill("2,400")
    page.get_by_text("€2,472.00").wait_for()

    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(live_server.url + "/fees/")
    plain.get_by_label("Price of the work").fill("2,400")
    plain.get_by_role("button", name="Work it out").click()
    assert plain.get_by_text("€2,472.00").is_visible()
    assert plain.get_by_text("€2,208.00").is_visible()


@pytest.mark.django_db
def test_a_page_says_where_it_is_and_what_is_at_stake():
    html = fetch("/fees/")

    assert "<title>Fees – Bidwell</title>" in html
    assert "Test money" in html
    assert 'lang="en" dir="ltr"' in html
    assert '"historyRestoreAsHxRequest":false' in html


@pytest.mark.django_db
def test_the_front_page_needs_few_queries(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        client.get("/")


@pytest.mark.django_db
def test_fresh_counts_land_in_the_header_and_in_the_bar(client):
    client.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    part = client.get("/counts/", headers={"HX-Request": "true"}).content.decode()
    page = client.get("/fees/").content.decode()

    for name in ("bell", "unread-nav", "unread-tab"):
        assert f'id="{name}"' in part
        assert page.count(f'id="{name}"') == 1
    assert part.count('hx-swap-oob="true"') == 3
