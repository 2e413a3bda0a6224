"""The pages of the work half, as a person sees them."""

import pytest
from playwright.sync_api import expect

from projects.services import messages
from tests.look import inspect, sign_in
from tests.projects.work import Work, moderator


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_answered_dispute_is_accessible_small_and_inside_the_screen(
    live_server, new_context, stripe_sandbox
):
    """Each page as such is looked at in tests/test_every_look.py."""
    work = Work.build(stripe_sandbox)
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")
    pages = [dispute.get_absolute_url(), f"{dispute.get_absolute_url()}settle/"]

    inspect(
        live_server.url,
        new_context,
        [(path, person) for person in (work.client, work.freelancer) for path in pages],
    )


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_moderators_page_is_accessible_and_inside_the_screen(
    live_server, new_context, stripe_sandbox
):
    work = Work.build(stripe_sandbox)
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")

    inspect(
        live_server.url,
        new_context,
        [(f"/admin/projects/dispute/{dispute.pk}/change/", moderator())],
        stock=True,
    )


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_parts_of_a_page_that_htmx_brings_arrive(live_server, new_context, stripe_sandbox):
    work = Work.build(stripe_sandbox)
    messages.send(work.contract, by=work.freelancer, body="Could you look at the Saturday slots?")
    dispute = work.disputed(1)
    context = new_context(service_workers="block")
    sign_in(context, live_server.url, work.client)
    page = context.new_page()

    page.goto(live_server.url + work.contract.get_absolute_url())
    expect(page.locator("#conversation")).to_contain_text("Saturday slots")
    page.fill("#id_body", "Looking now.")
    page.click("#composer button[type=submit]")
    expect(page.locator("#conversation .msg--me")).to_contain_text("Looking now.")

    page.goto(live_server.url + dispute.get_absolute_url())
    page.check("input[name=fair][value=split]")
    page.fill("#id_amount", "400")
    expect(page.locator("#split")).to_contain_text("€368.00")
