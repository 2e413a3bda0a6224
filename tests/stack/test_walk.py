"""The whole main job, by three people in three browsers, on the running product."""

import re

import pytest

from tests.stack.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.stack]

TITLE = "Accessible ticket checkout for a museum"
DESCRIPTION = (
    "Our ticket shop works well with a mouse and badly with anything else. We want the date, "
    "visitor and payment pages rebuilt in our Django templates and tested with a screen reader."
)
REASON = (
    "Two of the three pages work with the keyboard and the third does not. Both sides agree on "
    "that in their statements, so the freelancer keeps the share of two pages."
)


def posts_a_project(client: Person) -> None:
    """Four steps signed out, then joining, then it is open."""
    client.go("/projects/new/")
    client.type("Title", TITLE)
    client.type("Description", DESCRIPTION)
    client.press("Continue")
    client.choose("I have a budget")
    client.page.locator("#id_budget_min").fill("1,500")
    client.page.locator("#id_budget_max").fill("2,400")
    client.press("Continue")
    client.page.locator("#id_skills").fill("Django, Accessibility")
    client.choose("Ask first")
    client.press("Continue")
    client.heading("Check and publish")
    client.sees("€1,500–2,400")
    client.press("Publish")
    client.joins()
    client.sees(TITLE)


def bids(freelancer: Person) -> None:
    """From the public list to a sent bid, joining in between."""
    freelancer.go("/projects/")
    freelancer.follow(TITLE)
    freelancer.page.locator("#id_amount").fill("2,000")
    freelancer.page.locator("#id_days").fill("20")
    freelancer.page.locator("#id_message").fill("I would begin with the date picker.")
    freelancer.choose("To assist me")
    freelancer.press(re.compile("^Send bid"))
    freelancer.joins()
    freelancer.type("What you do, in one line", "Front-end developer")
    freelancer.type("Your main skills", "Django, Accessibility")
    freelancer.press(re.compile("^Send bid"))
    freelancer.sees("€2,000.00")


def hires(client: Person, freelancer: Person) -> str:
    """From the list of bids to a contract with two milestones; its address."""
    client.go("/projects/mine/")
    client.follow(TITLE)
    client.follow(freelancer.name)
    client.sees("€2,000.00")
    client.follow(re.compile("^Hire"))
    client.type("Title of milestone 1", "Date and visitors")
    client.type("Amount of milestone 1", "800")
    client.type("Title of milestone 2", "Payment page")
    client.type("Amount of milestone 2", "1,200")
    client.press(re.compile(r"^Agree to €2,000\.00"))
    client.sees("Set aside €800.00")
    return re.search(r"/contracts/\w+/", client.page.url)[0]


def funds(client: Person, contract: str, number: int, amount: str, total: str) -> None:
    """Through Stripe's page and back."""
    client.go(f"{contract}fund/{number}/")
    client.press(f"Pay {total} with Stripe")
    client.page.get_by_role("button", name=re.compile(f"Pay {re.escape(total)}")).click()
    client.heading(f"{amount} is set aside")


def sets_up_payouts(freelancer: Person) -> None:
    freelancer.go("/payouts/setup/")
    freelancer.page.locator("select[name=country]").select_option("DE")
    freelancer.press("Continue to Stripe")
    freelancer.page.locator("button[value=complete]").click()
    freelancer.keeps_looking_for("You can be paid", path="/payouts/setup/")


def delivers(freelancer: Person, contract: str, number: int) -> None:
    freelancer.go(f"{contract}milestones/{number}/deliver/")
    freelancer.type("What do you hand over?", "It is on staging; the notes are attached.")
    freelancer.page.locator("input[type=file]").set_input_files(
        {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 notes"}
    )
    freelancer.press("Deliver for review")
    freelancer.sees("It is")


def approves(client: Person, contract: str, number: int, amount: str) -> None:
    client.go(f"{contract}milestones/{number}/approve/")
    client.press(f"Release {amount}")
    client.keeps_looking_for("Paid out", path=contract)


def disagrees(client: Person, contract: str, number: int) -> str:
    """The four steps of a dispute; its address."""
    client.go(f"{contract}milestones/{number}/dispute/1/")
    client.choose("The work is not what we agreed")
    client.type("Tell us in your own words", "The third page cannot be used with the keyboard.")
    client.press("Continue")
    client.press("Continue")
    client.page.get_by_role("radio").last.check()
    client.page.locator("#id_amount").fill("600")
    client.press("Continue")
    client.press("Send and pause €1,200.00")
    client.sees("paused")
    return re.search(r"/disputes/\w+/", client.page.url)[0]


def answers(freelancer: Person, dispute: str) -> None:
    freelancer.go(dispute)
    freelancer.type("Your side of it", "Two of three pages work, which is most of the agreed work.")
    freelancer.page.locator("form", has=freelancer.page.locator("textarea")).get_by_role(
        "button"
    ).last.click()
    freelancer.sees("Two of three pages work")


def decides(staff: Person, dispute: str) -> None:
    staff.go("/admin/projects/dispute/")
    staff.page.locator("#result_list tbody").get_by_role("link", name=dispute.split("/")[2]).click()
    staff.press("Open the case file")
    staff.page.locator("#id_to_freelancer").fill("800")
    # The other part is computed, so the sums cannot be wrong.
    staff.page.locator("#split", has_text="€400.00").wait_for()
    staff.page.locator("#id_reason").fill(REASON)
    staff.press("Record decision")
    staff.page.get_by_text("decided on").first.wait_for()


def reviews(person: Person, contract: str) -> None:
    person.go(f"{contract}review/")
    for name in ("stars_work", "stars_communication", "stars_fairness"):
        person.page.locator(f"input[name={name}][value='5']").check(force=True)
    person.type("What should others know?", f"{person.name} was glad to work on this.")
    person.press("Send review")
    person.sees(re.compile("Your review is"))


@pytest.fixture
def staff_account(stack):
    """A moderator, as an operator makes one."""
    stack.manage(
        "shell",
        "-c",
        "from accounts.services.people import join\n"
        "user = join('ayse@bidwell.test', name='Ayse Demir', password='a long enough phrase')\n"
        "user.is_staff = user.is_superuser = True\n"
        "user.save()",
    )
    return "ayse@bidwell.test", "a long enough phrase"


def test_three_people_do_the_whole_main_job(stack, new_context, staff_account, complaints):
    # Leaving a page ends its open requests, and htmx says so.
    complaints.expect("htmx:")
    client = Person(stack, new_context(), "Hanne Visser", "hanne@museum.test")
    freelancer = Person(stack, new_context(), "Ines Carvalho", "ines@work.test")
    staff = Person(stack, new_context(), "Ayse Demir", staff_account[0])

    posts_a_project(client)
    bids(freelancer)
    contract = hires(client, freelancer)
    sets_up_payouts(freelancer)

    funds(client, contract, 1, "€800.00", "€824.00")
    delivers(freelancer, contract, 1)
    approves(client, contract, 1, "€800.00")
    freelancer.keeps_looking_for("€736.00", path="/earnings/")
    assert "€800.00" in freelancer.letter("€800.00")

    funds(client, contract, 2, "€1,200.00", "€1,236.00")
    delivers(freelancer, contract, 2)
    dispute = disagrees(client, contract, 2)
    answers(freelancer, dispute)
    staff.go("/sign-in/password/?next=/admin/")
    staff.type("E-mail", staff_account[0])
    staff.page.locator("input[name=password]").fill(staff_account[1])
    staff.press("Sign in")
    decides(staff, dispute)
    for person in (client, freelancer):
        person.go(dispute)
        person.sees("€800.00")
        person.sees("€400.00")
        person.sees(REASON)

    for person in (client, freelancer):
        reviews(person, contract)
    client.go(contract)
    for amount in ("€1,600.00", "€400.00"):
        client.sees(amount)
    freelancer.keeps_looking_for("€1,472.00", path="/earnings/")
    for proof in ("verify_ledger", "verify_audit", "verify_state", "reconcile"):
        stack.manage(proof)


def test_the_main_job_needs_no_javascript(stack, new_context):
    plain = {"java_script_enabled": False, "viewport": {"width": 390, "height": 844}}
    client = Person(stack, new_context(**plain), "Jonas Weber", "jonas@kiezrad.test")
    freelancer = Person(stack, new_context(**plain), "Tomasz Zielinski", "tomasz@work.test")

    posts_a_project(client)
    bids(freelancer)
    contract = hires(client, freelancer)
    sets_up_payouts(freelancer)
    funds(client, contract, 1, "€800.00", "€824.00")
    delivers(freelancer, contract, 1)
    approves(client, contract, 1, "€800.00")
    client.go(contract)
    client.sees("€800.00")
