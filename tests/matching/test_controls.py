"""What people decide about suggestions, where they stand, and what a person answers."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Notice, Profile
from accounts.selectors import PeopleFilter, page_of_people
from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow, OutboxMessage
from matching import appeal_services, memory, services, whynot_services, wish_services
from matching.engine import whynot
from matching.engine.documents import HistoryItem, PersonDoc
from matching.engine.rank import build_index
from matching.models import Match, MatchAppeal, MatchRun, MatchWishes, SkillReading, WhyNot
from matching.selectors import documents, matches, stale
from tests.factories import StaffFactory
from tests.matching.conftest import (
    a_client,
    a_freelancer,
    a_project,
    finished_work,
    forget_everything,
)
from tests.matching.test_attacks import CROWD, NEED, TODAY
from tests.matching.test_pages import address, signed_in, text_of

USUAL = {
    "is_on": True,
    "uses_record": True,
    "skills": "usual",
    "works": "usual",
    "profile": "usual",
}


def wish(user, **changes):
    """Choose, and see workers notice at once: where building is slow they may be behind."""
    forget_everything()
    return wish_services.set_wishes(user.own_party, by=user, **{**USUAL, **changes})


@pytest.fixture
def mara(db):
    return a_client()


@pytest.fixture
def ines(db):
    user = a_freelancer("Ines Duarte")
    finished_work(
        user,
        title="Booking checkout for a theatre",
        description="Django templates for a ticket checkout, tested with screen readers.",
        skills=["Django"],
    )
    return user


@pytest.fixture
def project(mara, ines):
    found = a_project(mara)
    services.rank_people(found.pk, why="changed")
    services.rank_projects(ines.own_party.pk, why="changed")
    return found


@pytest.fixture
def slow_worker(monkeypatch):
    """A worker that goes on with what it built."""
    monkeypatch.setattr(memory.Built, "is_good", lambda self, stamp: True)


# --- On and off -----------------------------------------------------------------------------


def test_switched_off_nobody_is_compared_in_either_direction_and_search_stays_as_it_was(
    project, ines, mara
):
    a_freelancer("Otto Lind")
    before = [profile.pk for profile in page_of_people(PeopleFilter()).rows]
    newest = [profile.pk for profile in matches.people_unranked(project)]

    wish(ines, is_on=False)

    assert not Match.objects.filter(party=ines.own_party).exists()
    services.rank_people(project.pk, why="sweep")
    services.rank_projects(ines.own_party.pk, why="sweep")
    assert not Match.objects.filter(party=ines.own_party).exists()
    assert Match.objects.filter(project=project, kind="people").count() == 1
    assert "Ines Duarte" not in text_of(signed_in(mara).get(address("project-people", project)))
    assert [profile.pk for profile in page_of_people(PeopleFilter()).rows] == before
    assert [profile.pk for profile in matches.people_unranked(project)] == newest
    page = text_of(signed_in(ines).get(reverse("matching:for-you")))
    assert "You have switched personal suggestions off" in page
    assert project.title in page
    why = text_of(signed_in(ines).get(address("project-reasons", project)))
    assert "You see it as everybody does" in why
    answer = signed_in(ines).get(reverse("api:matches")).json()
    assert [place["rank"] for place in answer["results"]] == [None]


def test_a_match_written_before_somebody_switched_off_is_not_shown(project, ines, mara):
    kept = list(Match.objects.filter(party=ines.own_party, kind="people"))
    wish(ines, is_on=False)
    Match.objects.bulk_create(kept)

    assert matches.people_for(project) == []


def test_a_worker_that_is_behind_suggests_nobody_who_switched_off(project, ines, slow_worker):
    memory.people_matcher()
    wish_services.set_wishes(ines.own_party, by=ines, **{**USUAL, "is_on": False})

    services.rank_people(project.pk, why="sweep")

    assert not Match.objects.filter(kind="people").exists()
    assert MatchRun.objects.latest("pk").results == []


def test_lists_made_before_somebody_chose_otherwise_are_made_anew(project, ines):
    later = clock.now() + dt.timedelta(hours=1)
    Profile.objects.update(updated_at=later - dt.timedelta(days=9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert project not in stale.projects()

    MatchWishes.objects.create(party=ines.own_party, uses_record=False, changed_at=clock.now())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert project in stale.projects()


def test_switched_on_again_the_lists_come_back(project, ines):
    wish(ines, is_on=False)
    wish(ines)

    assert OutboxMessage.objects.filter(
        topic="matching", payload__changed="party", payload__id=ines.own_party.pk
    ).exists()
    services.rank_people(project.pk, why="sweep")
    assert [match.party for match in matches.people_for(project)] == [ines.own_party]
    row = AuditRow.objects.filter(action="match_wishes.changed").latest("pk")
    assert (row.actor_id, row.facts["is_on"]) == (ines.pk, True)


def test_levels_order_ones_own_list_are_said_and_logged_and_change_no_list_of_people(mara, ines):
    by_skill = a_project(
        mara,
        title="Gardening website",
        description="Roses and hedges. " * 6,
        skills=["Accessibility"],
    )
    by_work = a_project(
        mara,
        title="Theatre booking checkout",
        description="Tickets, tested. " * 6,
        skills=["Stripe"],
    )
    party = ines.own_party

    def order():
        services.rank_projects(party.pk, why="changed")
        return [match.project for match in matches.projects_for(party).rows]

    services.rank_people(by_skill.pk, why="changed")
    scores = list(Match.objects.filter(kind="people").values_list("party", "score"))
    wish(ines, works="off", profile="off")
    assert order() == [by_skill]
    wish(ines, skills="off", works="more")
    assert order()[0] == by_work

    page = text_of(signed_in(ines).get(reverse("matching:for-you")))
    assert "What you chose: skills left out, past work twice as much" in page
    run = MatchRun.objects.filter(party=party).latest("pk")
    assert run.wishes == {"skills": "off", "works": "more"}
    services.rank_people(by_skill.pk, why="changed")
    assert list(Match.objects.filter(kind="people").values_list("party", "score")) == scores


def test_something_has_to_be_left_to_compare(ines):
    with pytest.raises(InvalidInput):
        wish(ines, skills="off", works="off", profile="off")
    with pytest.raises(NotAllowed):
        wish_services.set_wishes(ines.own_party, by=a_client("Nosy Person"), **USUAL)


def test_the_page_of_choices_saves_them_and_says_what_is_wrong(ines, client):
    client = signed_in(ines)
    url = reverse("matching:settings")

    page = text_of(client.get(url))
    assert "Use my finished work here" in page
    levels = {"skills": "more", "works": "off", "profile": "less"}
    assert client.post(url, {"is_on": "on", **levels}).status_code == 303
    saved = ines.own_party.match_wishes
    assert (saved.is_on, saved.uses_record, saved.chosen) == (True, False, levels)
    refused = client.post(url, {"is_on": "on"} | dict.fromkeys(levels, "off"))
    assert refused.status_code == 422
    assert "Leave at least one part in" in refused.content.decode()

    api = client.post(
        reverse("api:match-wishes"),
        USUAL | {"is_on": False},
        content_type="application/json",
        headers={"Idempotency-Key": "one"},
    )
    assert api.json()["is_on"] is False
    assert client.get(reverse("api:match-wishes")).json()["is_on"] is False


# --- The record -----------------------------------------------------------------------------


def test_against_the_record_finished_work_is_read_in_neither_direction(project, ines, mara):
    assert "1 similar past project" in text_of(
        signed_in(mara).get(address("project-people", project))
    )

    wish(ines, uses_record=False)
    assert not Match.objects.filter(party=ines.own_party).exists()
    services.rank_people(project.pk, why="sweep")
    services.rank_projects(ines.own_party.pk, why="sweep")

    (person,) = documents.people()
    assert (person.history, person.unused_works) == ((), 1)
    for page in (
        signed_in(mara).get(address("project-people", project)),
        signed_in(ines).get(reverse("matching:for-you")),
    ):
        shown = text_of(page)
        assert "2 of 2 skills" in shown
        assert "past project" not in shown
        assert "No finished project here yet" not in shown


def test_a_record_nobody_may_use_makes_nobody_new():
    def is_new(unused):
        person = PersonDoc("asker", "Django", skills=(("Django", 0),), unused_works=unused)
        return bool(build_index([person], [], at=TODAY)._people.new[0])

    assert is_new(0)
    assert is_new(3)
    assert not is_new(4)


# --- Deleting -------------------------------------------------------------------------------


def test_the_match_history_goes_except_for_the_log_and_is_made_anew(project, ines):
    WhyNot.objects.create(project=project, party=ines.own_party)
    SkillReading.objects.create(digest="d", asker=f"user:{ines.pk}", text="secret")
    others = a_freelancer("Otto Lind")
    SkillReading.objects.create(digest="e", asker=f"user:{others.pk}")
    runs = MatchRun.objects.count()
    client = signed_in(ines)

    assert "half a year" in text_of(client.get(reverse("matching:forget")))
    assert client.post(reverse("matching:forget")).status_code == 303

    assert not Match.objects.filter(party=ines.own_party).exists()
    assert not WhyNot.objects.exists()
    assert SkillReading.objects.get().digest == "e"
    assert MatchRun.objects.count() == runs
    assert OutboxMessage.objects.filter(payload__id=ines.own_party.pk, topic="matching").exists()
    row = AuditRow.objects.get(action="match_history.forgotten")
    # Two matches, what the list gave them, a question and a reading.
    assert row.facts == {"rows": 5}


# --- Sorting by the client ------------------------------------------------------------------


def test_a_client_sorts_people_by_chance_without_names_or_by_date(project, ines, mara):
    otto = a_freelancer("Otto Lind", headline="Otto Lind the gardener")
    client, url = signed_in(mara), address("project-people", project)

    random = text_of(client.get(url, {"sort": "random"}))
    newest = text_of(client.get(url, {"sort": "newest"}))

    for profile in Profile.objects.exclude(party=mara.own_party):
        for leak in (profile.party.name, profile.handle, profile.headline):
            assert not leak or leak not in random
    assert random.count("<article") == 2
    assert newest.index("Otto Lind") < newest.index("Ines Duarte")
    person = reverse("matching:open-person", args=[project.slug, project.ref, otto.own_party.ref])
    assert person in random
    opened = client.get(person)
    assert opened["Location"] == reverse("accounts:person", args=[otto.own_party.profile.handle])


# --- Why not me -----------------------------------------------------------------------------


def work_like_it(name, count, *, days_ago=60):
    return tuple(
        HistoryItem(
            f"Ticket checkout {name} {n}",
            f"Museum pages {name}{n}",
            ("Django",),
            TODAY - dt.timedelta(days=days_ago + n),
            client=f"{name}{n}",
        )
        for n in range(count)
    )


OTHERS = [
    PersonDoc(
        f"other{n:02}",
        "Developer",
        skills=(("Django", 0), ("Accessibility", 0)),
        history=work_like_it(f"o{n}", 1),
    )
    for n in range(14)
]


def test_every_change_that_is_told_was_tried_and_leads_there():
    asker = PersonDoc(
        "asker",
        "Developer of accessibility tools",
        skills=(("Python", 0),),
        history=work_like_it("mine", 1, days_ago=40),
    )

    answer = whynot.why_not([*OTHERS, asker], NEED, asker, at=TODAY)

    assert answer.place is not None
    assert answer.place > 10
    assert answer.changes
    first = answer.changes[0]
    assert (first.kind, first.facts["skills"]) == ("skill", ["Accessibility"])
    tried = {change.kind: doc for change, doc in whynot.changes(asker, NEED)}
    for change in answer.changes:
        found = build_index([*OTHERS, tried[change.kind]], [], at=TODAY).people_for(NEED, 20)
        assert whynot.place_of("asker", found) == change.place <= 10
    assert answer.first["works"] > 0
    assert "other" not in json.dumps(
        [answer.own, answer.first, [change.facts for change in answer.changes]]
    )


def test_where_nothing_helps_nothing_is_told():
    strong = [replace(each, history=work_like_it(each.id, 6)) for each in OTHERS]
    asker = PersonDoc("asker", "Gardener", "Roses.", (("Gardening", 0),))

    answer = whynot.why_not(strong, NEED, asker, at=TODAY)

    assert (answer.place, answer.changes) == (None, ())
    assert answer.tried > 3


def test_means_of_fewer_than_five_others_are_not_told():
    asker = replace(CROWD[0], id="asker")

    assert whynot.why_not(OTHERS[:4], NEED, asker, at=TODAY).first == {}
    assert whynot.why_not(OTHERS[:5], NEED, asker, at=TODAY).first["works"] > 0


def test_a_freelancer_asks_a_worker_answers_and_the_page_says_it(project, mara):
    headline = "Accessible Django checkout"
    otto = a_freelancer("Otto Lind", skills={"Gardening": 2}, headline=headline, bio="Museums")
    for number in range(14):
        a_freelancer(f"Robin Number{number}", headline=headline, bio="Tickets")
    client, url = signed_in(otto), address("why-not", project)

    assert "Find out where I stand" in text_of(client.get(url))
    assert client.post(url).status_code == 303
    assert "We are comparing you" in text_of(client.get(url))
    whynot_services.find_out(WhyNot.objects.get().pk)

    page = text_of(client.get(url))
    assert "What would change it" in page
    asked = WhyNot.objects.get()
    assert asked.answer["changes"]
    for change in asked.answer["changes"]:
        assert f"Then place {change['place']}." in page
    assert asked.answer["is_whole"]
    assert "Robin" not in json.dumps(asked.answer)
    assert "Ines" not in page
    said = client.get(reverse("api:why-not", kwargs={"ref": project.ref})).json()
    assert said["answer"]["place"] == asked.answer["place"]
    assert client.post(url).status_code == 303
    assert WhyNot.objects.get().answered_at is None


def test_what_keeps_somebody_out_is_said_with_the_place_they_would_have(project, ines):
    Profile.objects.filter(party=ines.own_party).update(availability="busy", is_visible=False)
    whynot_services.ask(project, by=ines)
    whynot_services.find_out(WhyNot.objects.get().pk)

    page = text_of(signed_in(ines).get(address("why-not", project)))

    assert "you take no work at the moment" in page
    assert "Your profile is hidden" in page
    assert "Place 1" in page
    assert "This is the place you would have" in page


def test_without_a_profile_or_a_matcher_there_is_nothing_to_ask(project, ines, settings):
    with pytest.raises(InvalidInput):
        whynot_services.ask(project, by=a_client("No Profile"))
    settings.MATCHER_MODE = "off"
    with pytest.raises(InvalidInput):
        whynot_services.ask(project, by=ines)


# --- Appeals --------------------------------------------------------------------------------


@pytest.fixture
def appeal(project, ines):
    return appeal_services.appeal(
        project, ines.own_party, by=ines, said="My work for the theatre is not counted."
    )


def told(user, kind):
    return Notice.objects.filter(user=user, kind=kind)


def test_an_appeal_has_a_receipt_a_day_and_what_the_matcher_went_by(project, ines):
    staff = StaffFactory()
    client = signed_in(ines)
    url = address("appeal-against", project)

    assert address("appeal-against", project) in text_of(
        client.get(address("project-reasons", project))
    )
    assert client.post(url, {"said": " "}).status_code == 422
    answer = client.post(url, {"said": "My work is not counted."})

    row = MatchAppeal.objects.get()
    receipt = text_of(client.get(answer["Location"]))
    assert "Your appeal has arrived" in receipt
    assert row.ref in receipt
    assert row.due_at - row.at == dt.timedelta(days=7)
    match = Match.objects.get(party=ines.own_party, kind="projects")
    assert row.inputs["features"] == match.features
    assert row.inputs["run"] == match.run_id
    assert told(ines, "match_appeal_received").count() == 1
    assert told(staff, "match_appeal_waits").count() == 1
    with pytest.raises(InvalidTransition):
        appeal_services.appeal(project, ines.own_party, by=ines, said="Once more.")
    assert client.get(url)["Location"] == answer["Location"]


def test_a_client_appeals_against_whom_they_are_shown(project, mara, ines):
    answer = signed_in(mara).post(
        address("appeal-against", project), {"said": "Nobody here can do it."}
    )

    row = MatchAppeal.objects.get()
    assert answer.status_code == 303
    assert (row.kind, row.party) == ("people", project.client)
    assert [place["party"] for place in row.inputs["places"]] == [ines.own_party.pk]


def test_staff_are_reminded_before_it_is_due_and_every_day_after(appeal, monkeypatch):
    staff = StaffFactory()
    begin = clock.now()
    days = dict.fromkeys((4, 5, 6, 7, 8, 9))

    for day in days:
        monkeypatch.setattr(clock, "now", lambda day=day: begin + dt.timedelta(days=day, hours=1))
        days[day] = (appeal_services.remind_due(), appeal_services.remind_due())

    assert days == {
        4: (0, 0),
        5: (1, 0),
        6: (0, 0),
        7: (1, 0),
        8: (1, 0),
        9: (1, 0),
    }
    assert told(staff, "match_appeal_due").count() == 4


def test_a_person_answers_with_a_reason_and_a_remedy_and_the_count_is_public(
    appeal, ines, mara, client
):
    staff = StaffFactory()
    url = reverse("admin:matching_matchappeal_change", args=[appeal.pk])
    page = signed_in(staff)

    shown = text_of(page.get(url))
    assert "My work for the theatre is not counted." in shown
    assert "1 of your past projects is similar" in shown
    assert "In the last twelve months there was 1 appeal" in text_of(
        client.get(reverse("pages:matching"))
    )
    for wrong in (
        {"outcome": "changed", "remedy": "", "reason": "The theatre was overlooked."},
        {"outcome": "upheld", "remedy": "by_hand", "reason": "The theatre was overlooked."},
        {"outcome": "upheld", "remedy": "", "reason": "no"},
    ):
        assert page.post(url, wrong).status_code == 422
    before = OutboxMessage.objects.filter(topic="matching").count()
    good = {"outcome": "changed", "remedy": "ranked_again", "reason": "The theatre was overlooked."}
    assert page.post(url, good).status_code == 303

    appeal.refresh_from_db()
    assert (appeal.status, appeal.decided_by, appeal.remedy) == ("changed", staff, "ranked_again")
    assert OutboxMessage.objects.filter(topic="matching").count() == before + 1
    assert told(ines, "match_appeal_answered").count() == 1
    answer = text_of(signed_in(ines).get(reverse("matching:appeal", args=[appeal.ref])))
    assert "The theatre was overlooked." in answer
    row = AuditRow.objects.get(action="match_appeal.answered")
    assert row.facts == {"outcome": "changed", "remedy": "ranked_again"}
    assert "Found to be wrong: 100 %" in text_of(client.get(reverse("pages:matching")))
    with pytest.raises(InvalidTransition):
        appeal_services.decide(appeal, by=staff, outcome="upheld", reason="Looked at it again.")


def test_nobody_answers_their_own_peoples_appeal_or_without_the_right(appeal, ines, mara):
    reason = {"outcome": "upheld", "reason": "It is right as it stands."}
    with pytest.raises(NotAllowed):
        appeal_services.decide(appeal, by=mara, **reason)
    for involved in (ines, mara):
        involved.is_staff = involved.is_superuser = True
        involved.save()
        with pytest.raises(NotAllowed):
            appeal_services.decide(appeal, by=involved, **reason)


def test_the_database_takes_no_answer_without_a_person_and_a_reason(appeal):
    rows = MatchAppeal.objects.filter(pk=appeal.pk)
    now = clock.now()
    for changes in (
        {"status": "upheld"},
        {"status": "upheld", "decided_at": now, "decided_by": StaffFactory(), "reason": "no"},
        {
            "status": "changed",
            "decided_at": now,
            "decided_by": StaffFactory(),
            "reason": "It was wrong indeed.",
        },
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**changes)


# --- Too little to be sure ------------------------------------------------------------------


def test_a_project_of_one_word_says_that_it_says_too_little(mara, ines):
    short = a_project(
        mara, title="Checkout wanted", description="Checkout, please. " * 6, skills=["Django"]
    )
    empty = a_project(mara, title="Zzyzx qwrtp", description="Qwrtp zzyzx. " * 8, skills=["Stripe"])
    for each in (short, empty):
        services.rank_people(each.pk, why="changed")
    client = signed_in(mara)

    page = text_of(client.get(address("project-people", short)))
    assert "Your project says little" in page
    assert "We cannot be sure of this one" in page
    nothing = text_of(client.get(address("project-people", empty)))
    assert "Not enough to go on" in nothing
