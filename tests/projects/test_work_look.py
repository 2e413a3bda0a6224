"""The pages of the work half, as a person sees them."""

import pytest
from playwright.sync_api import expect

from projects.services import messages
from tests.look import inspect, sign_in
from tests.projects.work import Work, moderator


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_of_a_contract_is_accessible_small_and_inside_the_screen(
    live_server, new_context, stripe_sandbox
):
    work = Work.build(stripe_sandbox)
    work.approved(1)
    work.delivered(2)
    base = work.contract.get_absolute_url()
    troubled = Work.build(stripe_sandbox, client=work.client, freelancer=work.freelancer)
    dispute = troubled.disputed(1)
    troubled.answered(dispute, "600.00")
    shared = ["", "messages/", "files/", "payments/", "terms/", "end/", "review/"]
    paths = [base + path for path in shared]
    paths += ["/contracts/", "/messages/", dispute.get_absolute_url()]
    paths += [f"{dispute.get_absolute_url()}settle/", f"{base}milestones/2/dispute/1/"]
    client = [f"{base}fund/3/", f"{base}fund/3/return/", f"{base}milestones/2/approve/"]
    client += [f"{base}milestones/2/changes/"]
    freelancer = [f"{base}milestones/3/deliver/"]

    inspect(
        live_server.url,
        new_context,
        [
            *((path, work.client) for path in [*paths, *client]),
            *((path, work.freelancer) for path in [*paths, *freelancer]),
        ],
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
