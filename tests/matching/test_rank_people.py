"""Whom the product suggests for a project."""

import subprocess
import sys

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Membership
from marketplace.core.models import OutboxMessage
from matching import services
from matching.models import Kind, Match, MatchRun
from matching.selectors import matches
from projects.services import posting
from tests.factories import CompanyFactory
from tests.matching.conftest import a_client, a_freelancer, a_project, finished_work

pytestmark = pytest.mark.django_db


def rank(project):
    services.rank_people(project.pk, why="changed")
    return [match.party.person.name for match in matches.people_for(project)]


def test_people_with_the_skills_and_similar_work_are_suggested_best_first():
    ines = a_freelancer("Ines Duarte")
    finished_work(
        ines,
        title="Booking checkout for a theatre",
        description="Django templates for a ticket checkout, tested with screen readers.",
        skills=["Django"],
    )
    a_freelancer("Noor Said")
    a_freelancer("Otto Lind", headline="Gardener", bio="Roses.", skills={"Gardening": 3})

    project = a_project(a_client())

    assert rank(project) == ["Ines Duarte", "Noor Said"]
    first = Match.objects.get(project=project, rank=1, kind=Kind.PEOPLE)
    assert sum(reason["contribution"] for reason in first.reasons) == pytest.approx(first.score)
    assert first.told[0].kind == "works"
    assert first.strength >= 2


def test_a_person_without_past_work_appears_through_the_profile():
    a_freelancer("Noor Said")
    project = a_project(a_client())

    assert rank(project) == ["Noor Said"]
    features = Match.objects.get(project=project).features
    assert features["vote"] == 0
    assert features["fresh"] > 0


def test_the_clients_own_people_are_never_ranked():
    company = CompanyFactory(name="Museum of Tides")
    owner = company.memberships.get().user
    colleague = a_freelancer("Kim Colleague")
    Membership.objects.create(party=company, user=colleague, can_post=True)
    selfmade = a_freelancer("Mara Self")
    a_freelancer("Noor Said")

    of_company = posting.publish(
        posting.save_draft(
            company, by=owner, wanted=posting.as_wanted(a_project(a_client("Model Client")))
        ),
        by=owner,
    )

    assert set(rank(of_company)) == {"Noor Said", "Mara Self"}
    assert "Mara Self" not in rank(a_project(selfmade))


@pytest.mark.parametrize(
    "profile",
    [{"is_visible": False}, {"headline": ""}, {"availability": "busy"}],
    ids=["hidden", "empty", "not taking work"],
)
def test_people_who_do_not_want_to_be_found_are_not_suggested(profile):
    a_freelancer("Quiet Person", **profile)

    assert rank(a_project(a_client())) == []


def test_whoever_hides_or_leaves_afterwards_is_gone_at_once():
    hidden, gone = a_freelancer("Hidden Later"), a_freelancer("Gone Later")
    project = a_project(a_client())
    assert len(rank(project)) == 2

    type(hidden.party.profile).objects.filter(party=hidden.party).update(is_visible=False)
    gone.is_active = False
    gone.save(update_fields=["is_active"])

    assert matches.people_for(project) == []


def test_nothing_is_kept_about_somebody_who_has_left():
    gone = a_freelancer("Gone Later")
    project = a_project(a_client())
    rank(project)
    services.rank_projects(gone.own_party.pk, why="changed")
    assert Match.objects.filter(party=gone.own_party).count() == 2
    gone.is_active = False
    gone.save(update_fields=["is_active"])

    services.rank_projects(gone.own_party.pk, why="changed")

    assert not Match.objects.filter(party=gone.own_party).exists()


def test_whoever_has_bid_is_not_suggested_again():
    from projects.models import Bid

    ines = a_freelancer("Ines Duarte")
    project = a_project(a_client())
    assert rank(project) == ["Ines Duarte"]

    Bid.objects.create(
        project=project,
        freelancer=ines.own_party,
        sent_by=ines,
        price_minor=100_00,
        currency="EUR",
        days=5,
        message="Here I am.",
        ai_use="no",
    )

    assert matches.people_for(project) == []
    assert rank(project) == []


@pytest.mark.parametrize(
    ("name", "bio"),
    [
        ("Wanjiru Kamau", "She works from Nairobi, Kenya. Call Wanjiru. I build ticket checkouts."),
        ("Jan Berg", "He works from Oslo, Norway. Call Jan. I build ticket checkouts."),
    ],
)
def test_names_places_and_pronouns_do_not_change_a_score(name, bio):
    a_freelancer("Plain Person", bio="works from. Call. I build ticket checkouts.")
    a_freelancer(name, bio=bio)
    project = a_project(a_client())

    rank(project)

    first, second = Match.objects.filter(project=project, kind=Kind.PEOPLE).order_by("rank")
    assert first.score == second.score
    assert first.features == second.features


def test_the_clients_name_in_a_posting_does_not_find_people_of_that_name():
    company = CompanyFactory(name="Roses Unlimited")
    owner = company.memberships.get().user
    a_freelancer("Otto Lind", headline="Roses unlimited and gardens", bio="", skills={})
    client = a_client()
    model = a_project(client, description="Roses Unlimited needs a new ticket shop. " * 4)
    wanted = posting.as_wanted(model)
    project = posting.publish(posting.save_draft(company, by=owner, wanted=wanted), by=owner)

    assert rank(project) == []


def test_a_work_whose_review_is_not_public_is_counted_and_not_named_to_others():
    ines = a_freelancer("Ines Duarte")
    finished_work(
        ines,
        title="Secret booking checkout",
        description="Django templates for a ticket checkout, tested with screen readers.",
        skills=["Django"],
    )
    project = a_project(a_client())
    rank(project)
    services.rank_projects(ines.own_party.pk, why="changed")

    for_client = Match.objects.get(project=project, kind=Kind.PEOPLE)
    for_herself = Match.objects.get(project=project, kind=Kind.PROJECTS)

    assert "Secret" not in str(for_client.reasons)
    assert next(r for r in for_client.told if r.kind == "works").facts["alike"] == 1
    assert "Secret" in str(for_herself.reasons)


def test_ranking_again_replaces_the_list_and_adds_a_line_to_the_log():
    a_freelancer("Noor Said")
    project = a_project(a_client())
    rank(project)
    rank(project)

    assert Match.objects.filter(project=project, kind=Kind.PEOPLE).count() == 1
    runs = MatchRun.objects.filter(project=project)
    assert [run.results for run in runs] == [runs[0].results] * 2
    assert runs[0].considered == 1


def test_the_log_of_rankings_cannot_be_rewritten():
    project = a_project(a_client())
    rank(project)

    for change in (
        lambda rows: rows.update(results=[]),
        lambda rows: rows.delete(),
    ):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            change(MatchRun.objects.filter(project=project))


def test_one_person_stands_once_in_a_list():
    a_freelancer("Noor Said")
    project = a_project(a_client())
    rank(project)
    match = Match.objects.get(project=project)

    match.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        match.save()


def test_a_closed_project_loses_its_suggestions():
    client = a_client()
    a_freelancer("Noor Said")
    project = a_project(client)
    rank(project)

    posting.close(project, by=client)

    assert not Match.objects.filter(project=project).exists()
    assert services.rank_people(project.pk, why="sweep") == []
    assert not Match.objects.filter(project=project).exists()


def test_nothing_is_ranked_while_matching_is_off(settings):
    settings.MATCHER_MODE = "off"
    user = a_freelancer("Noor Said")
    project = a_project(a_client())

    assert rank(project) == []
    assert services.rank_projects(user.own_party.pk, why="changed") == []
    assert services.rank_stale() == 0
    assert not MatchRun.objects.exists()
    assert [p.party.name for p in matches.people_unranked(project)] == ["Noor Said"]


def test_publishing_leaves_word_for_the_matcher_in_the_same_transaction():
    project = a_project(a_client())

    message = OutboxMessage.objects.get(topic="matching", payload__changed="project")
    assert message.payload["id"] == project.pk


def test_web_code_does_not_load_the_numeric_libraries():
    code = (
        "import os, sys, django;"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'marketplace.settings.test';"
        "django.setup();"
        "import matching.urls, matching.urls_api, matching.admin, matching.tasks;"
        "heavy = {'numpy', 'scipy', 'sklearn', 'onnxruntime', 'tokenizers'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_published_project_and_a_changed_profile_are_ranked_without_being_asked():
    noor = a_freelancer("Noor Said")
    project = a_project(a_client())

    assert [m.party.name for m in matches.people_for(project)] == ["Noor Said"]
    assert [m.project for m in matches.projects_for(noor.own_party).rows] == [project]

    late = a_freelancer("Late Comer")

    assert {m.party.name for m in matches.people_for(project)} == {"Noor Said", "Late Comer"}
    assert [m.project for m in matches.projects_for(late.own_party).rows] == [project]


@pytest.mark.django_db(transaction=True)
def test_finished_work_speaks_for_a_freelancer_at_the_next_ranking():
    ines, noor = a_freelancer("Ines Duarte"), a_freelancer("Noor Said")
    project = a_project(a_client())
    from projects.models import Contract
    from projects.signals import contract_ended

    contract = finished_work(
        noor,
        title="Ticket checkout",
        description="Checkout pages in Django for screen readers, date and payment.",
        skills=["Django"],
    )
    with transaction.atomic():
        contract_ended.send(Contract, contract=contract)

    assert [m.party.person for m in matches.people_for(project)] == [noor, ines]


def test_what_no_nudge_reached_is_found_by_the_sweep():
    noor = a_freelancer("Noor Said")
    project = a_project(a_client())
    assert not MatchRun.objects.exists()

    assert services.rank_stale() >= 2

    assert [m.party.name for m in matches.people_for(project)] == ["Noor Said"]
    assert [m.project for m in matches.projects_for(noor.own_party).rows] == [project]
    assert services.rank_stale() == 0
