"""`manage.py rank` over files: the matcher of the site, without a database."""

import json

import pytest
from django.core.management import CommandError, call_command

PEOPLE = [
    {
        "id": "p1",
        "title": "Front-end developer",
        "bio": "",
        "skills": [{"name": "Django", "count": 2}],
        "history": [
            {
                "title": "Ticket checkout",
                "text": "Django pages for a theatre",
                "skills": ["Django"],
                "date": "2025-03-01",
            }
        ],
        "stats": {"completed": 1},
    },
    {"id": "p2", "title": "Gardener", "bio": "Roses and hedges", "skills": [], "history": []},
]
PROJECTS = [
    {
        "id": "q1",
        "title": "Museum ticket checkout",
        "description": "Pages in Django",
        "skills": ["Django"],
        "budget": None,
        "posted_at": "2025-05-01",
        "client": "p9",
    },
    {"id": "q2", "title": "Rose garden", "description": "Plan hedges", "posted_at": "2025"},
    {"id": "q3", "title": "Checkout", "description": "Ticket pages", "client": "p1"},
]


@pytest.fixture
def files(tmp_path):
    people, projects = tmp_path / "people.jsonl", tmp_path / "projects.jsonl"
    people.write_text("\n".join(map(json.dumps, PEOPLE)) + "\n\n")
    projects.write_text("\n".join(map(json.dumps, PROJECTS)))
    return people, projects, tmp_path / "run.jsonl"


def read(path):
    return {row["qid"]: row["ranking"] for row in map(json.loads, path.read_text().splitlines())}


def test_people_are_ranked_for_every_project_without_its_client(files, capsys):
    people, projects, run = files

    call_command("rank", docs=people, queries=projects, out=run)

    assert read(run) == {"q1": ["p1"], "q2": ["p2"], "q3": []}
    assert "Ranked 3 queries (votes-4" in capsys.readouterr().out


def test_projects_are_ranked_for_every_person(files):
    people, projects, run = files

    call_command("rank", docs=projects, queries=people, out=run, direction="projects")

    assert read(run) == {"p1": ["q1"], "p2": ["q2"]}


def test_a_broken_line_is_named(files):
    people, projects, run = files
    people.write_text('{"id": "p1"}\n{"title": "nobody"}\n')

    with pytest.raises(CommandError, match="line 2"):
        call_command("rank", docs=people, queries=projects, out=run)
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("rank", docs=people.with_name("none"), queries=projects, out=run)
