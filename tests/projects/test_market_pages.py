"""The pages of the market as people walk through them, without JavaScript."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.services import people
from marketplace.core import clock, outbox
from marketplace.core.models import Draft
from marketplace.core.money import Money
from payments.models import PlatformPolicy
from projects.models import Bid, Contract, Project
from projects.services import bidding, choosing, posting
from projects.services.bidding import Step
from tests.factories import BidFactory, ProfileFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db

DESCRIPTION = "Our Django ticket shop works with a mouse and badly with anything else. " * 2
BID = {"amount": "3,600", "days": "30", "message": "I begin with your date picker.", "ai_use": "no"}


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response):
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode().split("<main", 1)[1])
    )


def code_in_mail():
    while outbox.deliver_due():
        pass
    return re.search(r"^\s*(\d{3}\s?\d{3})\s*$", mail.outbox[-1].body, re.MULTILINE)[1]


def join(client, *, name, email, after):
    """Join at the page the answer led to, with the code from the mail; returns where that ends."""
    page = client.get(after["Location"])
    form = re.search(r'name="next" value="([^"]*)"', page.content.decode())
    answer = client.post(
        after["Location"], {"name": name, "email": email, "next": form[1] if form else ""}
    )
    return client.post(answer["Location"], {"code": code_in_mail()})


# --- Posting --------------------------------------------------------------------------------


def post_steps(client):
    """Answer three steps; returns the check page."""
    answers = (
        {"title": "Accessible ticket checkout", "description": DESCRIPTION},
        {"budget": "range", "budget_min": "3,000", "budget_max": "€4,500.00"},
        {"skills": "Django, WCAG 2.2, usability tests", "ai_policy": "ask"},
    )
    assert client.get("/projects/new/")["Location"] == "/projects/new/1/"
    for number, answer in enumerate(answers, start=1):
        assert client.get(f"/projects/new/{number}/").status_code == 200
        step = client.post(f"/projects/new/{number}/", answer)
        assert (step.status_code, step["Location"]) == (303, f"/projects/new/{number + 1}/")
    return client.get("/projects/new/4/")


def test_a_client_posts_in_four_steps():
    user = UserFactory(side="hire")
    client = signed_in(user)
    check = text_of(post_steps(client))
    assert "€3,000–4,500" in check
    # A spelling nobody listed is read as the skill it surely means, and that is said.
    assert "Django, WCAG 2.2, Usability testing" in check
    assert "“usability tests” was read as Usability testing." in check

    published = client.post("/projects/new/4/")

    project = Project.objects.get()
    assert published["Location"] == f"/projects/accessible-ticket-checkout-{project.ref}/manage/"
    assert (project.status, project.client) == ("open", user.party)
    assert (project.budget_min, project.budget_max) == (Money(300000, "EUR"), Money(450000, "EUR"))
    assert project.skills.filter(name="Django").exists()
    assert Draft.objects.count() == 0


def test_a_visitor_posts_first_and_joins_then():
    client = Client()
    post_steps(client)
    answer = client.post("/projects/new/4/")
    assert answer.status_code == 303
    assert answer["Location"].startswith("/join/?")
    assert Project.objects.count() == 0

    arrived = join(client, name="Jonas Weber", email="jonas@example.test", after=answer)

    project = Project.objects.get()
    assert (project.status, project.posted_by.email) == ("open", "jonas@example.test")
    assert arrived["Location"] == "/projects/new/done/"
    assert client.get("/projects/new/done/")["Location"].endswith(f"-{project.ref}/manage/")
    assert Draft.objects.count() == 0


def test_a_draft_that_arrives_late_does_not_take_back_that_it_was_published():
    client = Client()
    post_steps(client)
    answer = client.post("/projects/new/4/")
    # What the page that was left had kept, and what a page without answers sends.
    for typed in ({"skills": "Django", "ai_policy": "ask"}, {}):
        assert client.post("/projects/new/draft/", typed).status_code == 204

    join(client, name="Jonas Weber", email="jonas@example.test", after=answer)

    assert Project.objects.get().skills.count() == 3
    assert Draft.objects.count() == 0


def test_a_visitor_who_joins_without_publishing_keeps_the_draft():
    client = Client()
    post_steps(client)
    client.post("/projects/new/4/")
    # Going back to change something takes the wish to publish back.
    client.post("/projects/new/1/", {"title": "Short", "description": "Also short."})
    answer = client.get("/projects/new/4/")
    assert answer.status_code == 200
    user = UserFactory()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert Project.objects.count() == 0
    assert Draft.objects.get().user == user
    assert "Title must be 10 characters or more" in text_of(client.get("/projects/new/4/"))


def test_what_is_wrong_in_a_step_is_said_there_and_kept():
    client = Client()
    page = client.post("/projects/new/1/", {"title": "Short", "description": "Also short."})
    assert page.status_code == 422
    assert "Title must be 10 characters or more" in text_of(page)
    assert page.content.decode().count('value="Short"') == 1
    assert "<title>Error:" in re.sub(r"\s+", " ", page.content.decode())
    assert 'value="Short"' in client.get("/projects/new/1/").content.decode()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"budget": "range"}, "Enter an amount, or choose"),
        ({"budget": "range", "budget_min": "1e3"}, "Enter an amount, like 1,200"),
        ({"budget": "range", "budget_min": "2"}, "Budget must be €5.00 or more"),
        ({"budget": "range", "budget_min": "500", "budget_max": "400"}, "must be €500.00 or more"),
        ({"budget": "open", "deliver_by": "2020-01-01"}, "tomorrow or later"),
        ({"budget": "open", "deliver_by": "soon"}, "Enter a date"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(answers, sentence):
    page = Client().post("/projects/new/2/", answers)
    assert page.status_code == 422
    assert sentence in text_of(page)


def test_one_amount_is_a_budget_of_its_own_and_none_is_too():
    client = Client()
    client.post("/projects/new/2/", {"budget": "range", "budget_max": "800"})
    assert "€800" in text_of(client.get("/projects/new/4/"))
    client.post("/projects/new/2/", {"budget": "open", "budget_min": "junk"})
    page = client.post("/projects/new/2/", {"budget": "open", "budget_min": "", "budget_max": ""})
    assert page.status_code == 303
    assert "Freelancers name their price" in text_of(client.get("/projects/new/4/"))


def test_changing_one_answer_leads_back_to_the_check():
    client = Client()
    post_steps(client)
    page = client.get("/projects/new/3/?back=4").content.decode()
    assert 'name="back" value="4"' in page
    answer = client.post("/projects/new/3/", {"skills": "Go", "ai_policy": "no", "back": "4"})
    assert answer["Location"] == "/projects/new/4/"


def test_skills_are_found_in_the_description():
    client = Client()
    client.post("/projects/new/1/", {"title": "A new ticket shop", "description": DESCRIPTION})
    page = client.get("/projects/new/3/").content.decode()
    assert 'value="Django"' in page
    assert "We found these in your description" in page


def test_typing_a_skill_shows_names_and_picking_one_writes_it():
    client, htmx = Client(), {"HX-Request": "true"}
    hints = client.get("/projects/new/skills/", {"skills": "Django, acces"}, headers=htmx)
    assert "Accessibility" in hints.content.decode()
    url = re.search(r'hx-get="([^"]*)"', hints.content.decode())[1].replace("&amp;", "&")
    field = client.get(url, headers=htmx).content.decode()
    assert 'value="Django, Accessibility testing, "' in field
    assert client.get("/projects/new/skills/").status_code == 302


def test_what_is_typed_is_kept_while_one_types():
    client = Client()
    kept = client.post("/projects/new/draft/", {"title": "Half a ti", "evil": "x" * 100_000})
    assert kept.status_code == 204
    assert Draft.objects.get().values == {"title": "Half a ti"}


def test_reading_the_steps_leaves_nothing_behind():
    client = Client()
    for number in range(1, 5):
        client.get(f"/projects/new/{number}/")
    assert Draft.objects.count() == 0
    assert "sessionid" not in client.cookies
    assert client.get("/projects/new/5/").status_code == 404


# --- One project ----------------------------------------------------------------------------


def test_a_wrong_slug_moves_for_good_and_a_wrong_ref_is_missing():
    project = ProjectFactory(title="Accessible ticket checkout")
    moved = Client().get(f"/projects/anything-{project.ref}/")
    assert (moved.status_code, moved["Location"]) == (301, project.get_absolute_url())
    assert Client().get("/projects/accessible-ticket-checkout-2222222222/").status_code == 404


def test_a_draft_is_seen_by_its_client_only():
    project = ProjectFactory(published=False)
    url = project.get_absolute_url()
    assert Client().get(url).status_code == 404
    assert signed_in(UserFactory()).get(url).status_code == 404
    assert "This is a draft" in text_of(signed_in(project.posted_by).get(url))


def test_skills_i_have_are_marked():
    freelancer = ProfileFactory(skills={"Django": 3}).party.person
    project = ProjectFactory(skills=["Django", "Stripe"])
    page = signed_in(freelancer).get(project.get_absolute_url()).content.decode()
    assert re.search(r'tag--match">[^/]*On your profile.*?Django', page, re.DOTALL)
    assert re.search(r'<span class="tag">Stripe', page)


def test_a_closed_project_says_so_and_shows_similar_ones():
    project, other = ProjectFactory(skills=["Django"]), ProjectFactory(skills=["Django"])
    posting.close(project, by=project.posted_by)
    page = text_of(Client().get(project.get_absolute_url()))
    assert "This project no longer takes bids" in page
    assert other.title in page
    assert "Write a bid" not in page


def test_words_of_users_never_become_markup():
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)> {{7*7}} {% load x %}'
    project = ProjectFactory(title=f"Title {evil}"[:100], description=DESCRIPTION + evil)
    freelancer = UserFactory(name="Ines Carvalho")
    bid = BidFactory(project=project, by=freelancer, message=evil)
    for user, url in (
        (None, "/projects/"),
        (None, project.get_absolute_url()),
        (project.posted_by, f"{project.get_absolute_url()}manage/"),
        (project.posted_by, bid.get_absolute_url()),
        (freelancer, "/bids/"),
        (project.posted_by, "/projects/mine/"),
    ):
        page = (signed_in(user) if user else Client()).get(url)
        body = page.content.decode().split("<main", 1)[1]
        assert page.status_code == 200
        assert "<script>alert" not in body
        assert "<img" not in body
        assert "49" not in text_of(page) or "{{7*7}}" in text_of(page)


# --- Bidding --------------------------------------------------------------------------------


def test_a_freelancer_sends_a_bid_and_sees_it():
    project = ProjectFactory()
    freelancer = ProfileFactory(skills={"Django": 3}).party.person
    client = signed_in(freelancer)
    assert 'id="bid"' in client.get(project.get_absolute_url()).content.decode()

    sent = client.post(f"{project.get_absolute_url()}bid/", BID)

    bid = Bid.objects.get()
    assert (sent.status_code, sent["Location"]) == (303, f"/bids/{bid.ref}/")
    assert (bid.price, bid.freelancer) == (Money(360000, "EUR"), freelancer.party)
    page = text_of(client.get(sent["Location"]))
    assert "€3,312.00" in page
    assert "has not read your bid yet" in page
    detail = text_of(client.get(project.get_absolute_url()))
    assert "€3,600.00" in detail
    assert "Send bid" not in detail


def test_a_visitor_bids_first_and_joins_then():
    project = ProjectFactory()
    url = f"{project.get_absolute_url()}bid/"
    client = Client()
    answer = client.post(url, BID)
    assert answer.status_code == 303
    assert answer["Location"].startswith("/join/?")
    assert Bid.objects.count() == 0

    arrived = join(client, name="Ines Carvalho", email="ines@example.test", after=answer)

    assert arrived["Location"] == url
    page = client.get(url)
    assert "One last thing" in text_of(page)
    assert "I begin with your date picker." in page.content.decode()
    assert "Send bid for €3,600.00" in text_of(page)
    assert Bid.objects.count() == 0
    sent = client.post(url, BID | {"headline": "Front-end developer", "skills": "Django, Go"})
    bid = Bid.objects.get()
    assert sent["Location"] == f"/bids/{bid.ref}/"
    assert bid.freelancer.profile.headline == "Front-end developer"
    assert [has.skill.name for has in bid.freelancer.profile.profile_skills.all()] == [
        "Django",
        "Go",
    ]
    assert Draft.objects.count() == 0


def test_a_bid_that_is_refused_keeps_every_word():
    project = ProjectFactory(ai_policy="no")
    client = signed_in(ProfileFactory(skills={"Django": 3}).party.person)
    page = client.post(f"{project.get_absolute_url()}bid/", BID | {"ai_use": "assist"})
    assert page.status_code == 422
    assert "This client wants work without AI tools" in text_of(page)
    assert "I begin with your date picker." in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": ""}, "Enter an amount"),
        ({"amount": "１２００"}, "Enter an amount"),
        ({"amount": "-5"}, "Enter an amount"),
        ({"amount": "4"}, "Your price must be €5.00 or more"),
        ({"days": "many"}, "Enter a number of days"),
        ({"days": "0"}, "between 1 and 365"),
        ({"message": ""}, "Say why you are right"),
        ({"message": "x" * 1586}, "is 86 characters too long. The limit is 1,500"),
        ({"ai_use": ""}, "Say whether you will use AI tools"),
        ({"m1_title": "All", "m1_amount": "3,500"}, "so €100.00 is missing"),
        ({"m1_title": "All"}, "Enter an amount"),
        ({"m1_title": "", "m1_amount": "3,600"}, "Give this milestone a title"),
    ],
)
def test_a_bid_that_makes_no_sense_is_refused(changes, sentence):
    project = ProjectFactory()
    client = signed_in(ProfileFactory(skills={"Django": 3}).party.person)
    page = client.post(f"{project.get_absolute_url()}bid/", BID | changes)
    assert page.status_code == 422
    assert sentence in text_of(page)
    assert Bid.objects.count() == 0


def test_milestones_without_days_are_due_at_the_end():
    project = ProjectFactory()
    client = signed_in(ProfileFactory(skills={"Django": 3}).party.person)
    rows = {
        "m1_title": "Discovery",
        "m1_amount": "600",
        "m1_days": "5",
        "m3_title": "Build",
        "m3_amount": "3,000",
        "m3_days": "",
    }
    assert client.post(f"{project.get_absolute_url()}bid/", BID | rows).status_code == 303
    steps = Bid.objects.get().milestones.all()
    assert [(step.position, step.title, step.days) for step in steps] == [
        (1, "Discovery", 5),
        (2, "Build", 30),
    ]


def test_the_sums_are_there_without_javascript_and_with_it():
    project = ProjectFactory()
    client = signed_in(ProfileFactory(skills={"Django": 3}).party.person)
    page = client.post(f"{project.get_absolute_url()}bid/", BID | {"again": "1", "message": ""})
    assert page.status_code == 200
    assert "€3,312.00" in text_of(page)
    assert "Send bid for €3,600.00" in text_of(page)
    assert Bid.objects.count() == 0
    url = f"{project.get_absolute_url()}bid/quote/?amount=3600"
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "€3,312.00" in part
    assert "€3,708.00" in part
    assert 'id="send-label" hx-swap-oob="true"' in part
    assert "<html" in client.get(url).content.decode()


def test_changing_and_withdrawing_a_bid():
    bid = BidFactory(milestones=[Step("All of it", Money(360000, "EUR"), 9)])
    client = signed_in(bid.sent_by)
    page = client.get(f"/bids/{bid.ref}/edit/").content.decode()
    assert 'value="3,600.00"' in page
    assert 'value="All of it"' in page
    changed = BID | {"amount": "3,000", "m1_title": "All", "m1_amount": "3,000", "m1_days": "9"}
    assert client.post(f"/bids/{bid.ref}/edit/", changed)["Location"] == f"/bids/{bid.ref}/"
    bid.refresh_from_db()
    assert (bid.version, bid.price) == (2, Money(300000, "EUR"))
    assert "Withdraw your bid of €3,000.00?" in text_of(client.get(f"/bids/{bid.ref}/withdraw/"))
    assert client.post(f"/bids/{bid.ref}/withdraw/").status_code == 303
    assert "You withdrew this bid" in text_of(client.get(f"/bids/{bid.ref}/"))
    assert client.post(f"/bids/{bid.ref}/withdraw/").status_code == 409


def test_my_bids_have_their_states():
    freelancer = UserFactory()
    bids = [BidFactory(by=freelancer) for _ in range(3)]
    choosing.decline(bids[0], by=bids[0].project.posted_by, reason="We need somebody in town.")
    bidding.mark_read(bids[1], by=bids[1].project.posted_by)
    client = signed_in(freelancer)
    page = text_of(client.get("/bids/"))
    for word in ("Not chosen", "We need somebody in town.", "Read", "Sent"):
        assert word in page
    assert text_of(client.get("/bids/?show=waiting")).count("€3,600.00") == 2
    assert "No bids here yet" in text_of(client.get("/bids/?show=won"))


# --- Choosing -------------------------------------------------------------------------------


def test_the_client_reads_shortlists_and_declines():
    bid = BidFactory()
    project, client = bid.project, signed_in(bid.project.posted_by)
    page = client.get(f"{project.get_absolute_url()}manage/")
    assert bid.freelancer.name in text_of(page)
    client.get(f"/bids/{bid.ref}/")
    bid.refresh_from_db()
    assert bid.read_at is None, "opening a page changes nothing"
    assert client.post(f"/bids/{bid.ref}/read/").status_code == 204
    bid.refresh_from_db()
    assert bid.read_at

    answer = client.post(f"/bids/{bid.ref}/shortlist/", headers={"HX-Request": "true"})
    assert "On the short list" in text_of_part(answer)
    listed = client.get(f"{project.get_absolute_url()}manage/?tab=shortlist")
    assert bid.freelancer.name in text_of(listed)
    assert client.post(f"/bids/{bid.ref}/unshortlist/")["Location"].endswith("/manage/")

    page = client.post(f"/bids/{bid.ref}/decline/", {"reason": "own", "words": ""})
    assert (page.status_code, "Write a short reason" in text_of(page)) == (422, True)
    client.post(f"/bids/{bid.ref}/decline/", {"reason": "own", "words": "Too far away."})
    gone = client.get(f"{project.get_absolute_url()}manage/?tab=not-chosen")
    assert "Too far away." in text_of(gone)
    client.post(f"/bids/{bid.ref}/reconsider/")
    bid.refresh_from_db()
    assert bid.status == "sent"


def text_of_part(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_up_to_four_bids_are_compared():
    project = ProjectFactory()
    bids = [BidFactory(project=project, price=Money(n * 10000, "EUR")) for n in range(1, 6)]
    client = signed_in(project.posted_by)
    query = "&".join(f"b={bid.ref}" for bid in bids)
    page = text_of(client.get(f"{project.get_absolute_url()}compare/?{query}"))
    assert all(bid.freelancer.name in page for bid in bids[:4])
    assert bids[4].freelancer.name not in page
    assert "€103.00" in page
    assert "At most four bids" in page
    foreign = BidFactory()
    page = text_of(client.get(f"{project.get_absolute_url()}compare/?b={foreign.ref}"))
    assert foreign.freelancer.name not in page


def hire_url(bid):
    return f"{bid.project.get_absolute_url()}hire/{bid.ref}/"


def test_hiring_shows_the_terms_and_leads_to_the_money():
    bid = BidFactory()
    client = signed_in(bid.project.posted_by)
    page = client.get(hire_url(bid))
    words = text_of(page)
    assert "Agree to €3,600.00 and continue" in words
    assert "€3,708.00" in words
    assert (
        "Rights to the work of a milestone pass to the client when the milestone is paid" in words
    )

    rows = {
        "seen_version": "1",
        "m1_title": "Discovery",
        "m1_amount": "600",
        "m2_title": "Build",
        "m2_amount": "3,000",
        "m2_due_on": (clock.now().date() + dt.timedelta(days=50)).isoformat(),
    }
    agreed = client.post(hire_url(bid), rows)

    contract = Contract.objects.get()
    assert (agreed.status_code, agreed["Location"]) == (303, f"/contracts/{contract.ref}/fund/1/")
    assert contract.milestones.count() == 2
    assert client.get(hire_url(bid))["Location"] == f"/contracts/{contract.ref}/"
    assert client.post(hire_url(bid), rows)["Location"] == f"/contracts/{contract.ref}/"
    assert Contract.objects.count() == 1


def test_milestones_that_do_not_add_up_are_told_by_how_much():
    bid = BidFactory()
    client = signed_in(bid.project.posted_by)
    rows = {"seen_version": "1", "m1_title": "All", "m1_amount": "3,500"}
    page = client.post(hire_url(bid), rows)
    assert page.status_code == 400
    assert "so €100.00 is missing" in text_of(page)
    assert 'value="3,500"' in page.content.decode()
    assert Contract.objects.count() == 0


def test_a_bid_that_changed_meanwhile_is_shown_anew_and_accepted_on_the_next_click():
    bid = BidFactory()
    bid.freelancer.name = "Ines Carvalho"
    bid.freelancer.save()
    client = signed_in(bid.project.posted_by)
    client.get(hire_url(bid))
    offer = {"price": Money(400000, "EUR"), "days": 5, "message": "More.", "ai_use": "no"}
    bidding.edit_bid(bid, by=bid.sent_by, **offer)

    page = client.post(
        hire_url(bid), {"seen_version": "1", "m1_title": "All", "m1_amount": "3,600"}
    )

    assert page.status_code == 409
    assert "Ines changed this bid a moment ago. Here is the current version." in text_of(page)
    assert "Agree to €4,000.00 and continue" in text_of(page)
    assert 'name="seen_version" value="2"' in page.content.decode()
    assert Contract.objects.count() == 0


def test_more_rows_for_milestones_without_javascript():
    bid = BidFactory()
    client = signed_in(bid.project.posted_by)
    rows = {"seen_version": "1", "m1_title": "Discovery", "m1_amount": "600", "again": "1"}
    page = client.post(hire_url(bid), rows).content.decode()
    assert 'value="Discovery"' in page
    assert 'name="m3_title"' in page
    assert Contract.objects.count() == 0


# --- My projects ----------------------------------------------------------------------------


def test_my_projects_say_what_waits():
    client_user = UserFactory(side="hire")
    people.found_company(client_user, name="Kiezrad", country="DE")
    project = ProjectFactory(by=client_user)
    BidFactory(project=project)
    client = signed_in(client_user)
    client.post("/projects/new/draft/", {"title": "Half a thought"})
    page = text_of(client.get("/projects/mine/"))
    assert "Kiezrad" in page
    assert "1 bid, 1 new" in page
    assert "You began to post “Half a thought”" in page


def test_editing_closing_and_files():
    project = ProjectFactory()
    url, client = project.get_absolute_url(), signed_in(project.posted_by)
    page = client.get(f"{url}edit/").content.decode()
    assert 'value="3,000.00"' in page
    changed = {
        "title": "A new ticket checkout",
        "description": DESCRIPTION,
        "budget": "range",
        "budget_min": "900",
        "skills": "Django",
        "ai_policy": "no",
    }
    saved = client.post(f"{url}edit/", changed)
    assert saved["Location"] == f"/projects/a-new-ticket-checkout-{project.ref}/manage/"
    assert client.post(f"{url}edit/", changed | {"title": "x"}).status_code == 422

    upload = SimpleUploadedFile("plan.pdf", b"%PDF-1.7")
    assert client.post(f"{url}files/", {"files": [upload]}).status_code == 303
    file = project.files.get()
    assert "plan.pdf" in text_of(Client().get(saved["Location"].replace("manage/", "")))
    assert client.post(f"{url}files/", {}).status_code == 422
    download = signed_in(UserFactory()).get(f"/files/{file.ref}/")
    assert download["Content-Disposition"] == 'attachment; filename="plan.pdf"'
    assert b"".join(download.streaming_content) == b"%PDF-1.7"
    assert Client().get(f"/files/{file.ref}/").status_code == 302
    client.post(f"{url}files/{file.ref}/remove/")
    assert project.files.count() == 0

    assert "Close without hiring?" in text_of(client.get(f"{url}close/"))
    assert client.post(f"{url}close/")["Location"] == "/projects/mine/"
    assert client.post(f"{url}close/").status_code == 409
    assert client.post(f"{url}edit/", changed).status_code == 422


def test_a_draft_made_by_a_program_is_published_with_one_button():
    project = ProjectFactory(published=False)
    client = signed_in(project.posted_by)
    url = project.get_absolute_url()
    assert "This is a draft" in text_of(client.get(f"{url}manage/"))
    assert client.post(f"{url}publish/")["Location"].endswith("/manage/")
    project.refresh_from_db()
    assert project.status == "open"


# --- Cost -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["detail", "manage", "compare", "bid", "hire", "bids", "mine"])
def test_a_page_costs_at_most_eight_queries_however_many_rows(
    page, monkeypatch, django_assert_max_num_queries
):
    far = {"bids_open_limit": 1000, "bids_per_day_limit": 1000}
    PlatformPolicy.objects.create(starts_at=clock.now() - dt.timedelta(seconds=1), **far)
    owner, freelancer = UserFactory(side="hire"), ProfileFactory(skills={"Django": 3}).party.person
    project = ProjectFactory(by=owner, skills=["Django", "Accessibility", "Stripe"])
    posting.add_files(
        project, by=owner, uploads=[SimpleUploadedFile(f"{n}.pdf", b"%PDF-1.7") for n in range(3)]
    )
    own = BidFactory(project=project, by=freelancer)
    url = project.get_absolute_url()
    reader, address = {
        "detail": (freelancer, url),
        "manage": (owner, f"{url}manage/"),
        "compare": (owner, f"{url}compare/"),
        "bid": (owner, f"/bids/{own.ref}/"),
        "hire": (owner, f"{url}hire/{own.ref}/"),
        "bids": (freelancer, "/bids/"),
        "mine": (owner, "/projects/mine/"),
    }[page]
    client = signed_in(reader)
    costs = []
    for more in (0, 3, 9):
        for _number in range(more):
            bid = BidFactory(project=project)
            BidFactory(project=ProjectFactory(by=owner), by=freelancer)
            if page == "compare" and address.count("b=") < 4:
                address += f"{'&' if '?' in address else '?'}b={bid.ref}"
        with django_assert_max_num_queries(8) as queries:
            assert client.get(address).status_code == 200
        costs.append(len(queries))
    assert costs[1] == costs[2], costs
