"""docker-compose.yml and Dockerfile, read and tried without a container engine."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
import yaml
from celery.bin.base import CLIContext
from celery.bin.celery import celery as celery_command
from django.conf import settings
from django.core.management import get_commands, load_command_class
from uvicorn.main import main as uvicorn_command

from marketplace.celery import app as celery_app
from marketplace.devstack.folder import DataFolder
from marketplace.devstack.postgres import APP, OWNER, Postgres
from marketplace.devstack.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "marketplace.settings.prod",
    "SECRET_KEY": "a-long-enough-key-of-many-different-characters-0123456789",
    "SITE_URL": "https://bidwell.example",
    "ALLOWED_HOSTS": "bidwell.example",
    "DATABASE_URL": "postgres://bidwell_app@127.0.0.1:9/bidwell",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "STRIPE_SECRET_KEY": "sk_test_deploy",
    "STRIPE_WEBHOOK_SECRET": "whsec_deploy",
}


def management_commands(text):
    return re.findall(r"python manage\.py (\w+)", text)


def test_the_production_shape_is_complete():
    assert set(SERVICES) == {"db", "redis", "migrate", "web", "live", "worker", "beat", "proxy"}
    assert set(OURS) == {"migrate", "web", "live", "worker", "beat"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_can_do_no_more_than_its_work_needs(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert not service.get("privileged")


def test_our_image_does_not_run_as_root_and_holds_no_secret():
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^USER bidwell$", dockerfile, re.MULTILINE)
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|KEY)", dockerfile, re.MULTILINE)
    for kept_out in (".env", ".git", "var", "tests", "marketplace/devstack"):
        assert kept_out in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_secret_is_required(name):
    for variable, value in (SERVICES[name].get("environment") or {}).items():
        if re.search(r"PASSWORD|SECRET|KEY|_URL", variable):
            assert ":?" in value, f"{name} starts without {variable}"
            # No password of our own invention may be the default of anything.
            assert not re.search(r":-(?!postgres://|redis://)", value)


def test_every_variable_is_explained_in_the_example():
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    explained = set(re.findall(r"^#? ?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert used - explained == {"BIDWELL_IMAGE"}


def test_only_migrate_knows_the_owner_of_the_schema():
    for name in OURS:
        url = SERVICES[name]["environment"]["DATABASE_URL"]
        assert ("bidwell_owner" in url) == (name == "migrate")
        assert ("bidwell_app" in url) == (name != "migrate")


def test_nobody_serves_before_the_tables_are_there():
    for name in OURS - {"migrate"}:
        condition = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


@pytest.mark.parametrize("name", ["web", "live", "worker", "db", "redis"])
def test_what_serves_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_every_management_command_named_exists():
    text = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "Dockerfile"))
    named = management_commands(text)

    assert {"migrate", "grant_app_role", "collectstatic"} <= set(named)
    for command in named:
        assert load_command_class(get_commands()[command], command)


def test_the_web_command_loads_the_product_with_production_settings():
    program, *options = SERVICES["web"]["command"]
    assert program == "gunicorn"
    tried = subprocess.run(
        [sys.executable, "-m", program, "--check-config", *options],
        cwd=ROOT,
        env=os.environ | PRODUCTION,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr


def test_the_live_command_names_an_application_and_known_options():
    program, application, *options = SERVICES["live"]["command"]
    assert program == "uvicorn"
    uvicorn_command.make_context("uvicorn", [application, *options])
    module, attribute = application.split(":")
    assert callable(getattr(importlib.import_module(module), attribute))


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_the_celery_commands_have_known_options(name):
    program, *words = SERVICES[name]["command"]
    assert program == "celery"
    with celery_command.make_context("celery", words) as context:
        context.obj = CLIContext(app=celery_app, no_color=True, workdir=None)
        command = celery_command.get_command(context, name)
        rest = words[words.index(name) + 1 :]
        assert context.params["app"] == "marketplace"
        command.make_context(name, rest, parent=context)


def test_the_worker_listens_to_every_queue_there_is():
    (option,) = [word for word in SERVICES["worker"]["command"] if word.startswith("--queues=")]
    queues = set(option.removeprefix("--queues=").split(","))

    routed = set(settings.CELERY_TASK_ROUTES.values())
    assert {settings.CELERY_TASK_DEFAULT_QUEUE, *routed} == queues


def test_the_proxy_knows_where_pages_and_streams_are():
    caddyfile = (ROOT / "deploy/Caddyfile").read_text()
    targets = dict(re.findall(r"reverse_proxy (\w+):(\d+)", caddyfile))

    exposed = {name: SERVICES[name]["expose"][0] for name in targets}
    assert targets == exposed == {"live": "8001", "web": "8000"}
    assert "--bind=0.0.0.0:8000" in SERVICES["web"]["command"]
    assert "--port=8001" in SERVICES["live"]["command"]


def test_the_files_the_containers_mount_are_there():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists()
            else:
                assert source in COMPOSE["volumes"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DEBUG": "true"}, "DEBUG"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:8002"}, "sandbox"),
        ({"SITE_URL": "http://bidwell.example"}, "SITE_URL"),
        ({"OPERATOR_VAT_ID": "DE123456789"}, "OPERATOR_COUNTRY"),
        ({"STRIPE_EVENT_DAYS": "30"}, "STRIPE_EVENT_DAYS"),
        ({"MATCH_RUN_DAYS": "183"}, "MATCH_RUN_DAYS"),
    ],
)
def test_production_refuses_to_start_with_a_weak_set_up(change, complaint):
    tried = subprocess.run(
        [sys.executable, "-c", "import marketplace.settings.prod"],
        cwd=ROOT,
        env=os.environ | PRODUCTION | change,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode != 0
    assert complaint in tried.stderr.splitlines()[-1]


def test_production_insists_on_a_second_factor_of_staff():
    said = "import marketplace.settings.prod as prod; print(prod.REQUIRE_STAFF_MFA)"
    tried = subprocess.run(
        [sys.executable, "-c", said],
        cwd=ROOT,
        env=os.environ | PRODUCTION,
        capture_output=True,
        text=True,
        check=True,
    )
    assert tried.stdout.split() == ["True"]


def test_the_first_start_of_the_database_makes_both_roles(tmp_path):
    """The container's script, played on a server of our own with its own psql."""
    passwords = {"OWNER_DATABASE_PASSWORD": "owner's \"word", "APP_DATABASE_PASSWORD": "$app\\"}
    postgres = Postgres(DataFolder(tmp_path), durable=False)
    supervisor = Supervisor(lambda name, line: None)
    try:
        supervisor.start(postgres.program())
        subprocess.run(
            ["/bin/sh", str(ROOT / "deploy/postgres/create-roles.sh")],
            env=passwords
            | {
                "PATH": f"{postgres.server}/bin:/usr/bin:/bin",
                "LD_LIBRARY_PATH": f"{postgres.server}/lib",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(postgres.port),
                "PGPASSWORD": postgres.folder.secret("postgres-password"),
            },
            check=True,
        )
        for role, name in ((OWNER, "OWNER_DATABASE_PASSWORD"), (APP, "APP_DATABASE_PASSWORD")):
            psycopg2.connect(
                host="127.0.0.1",
                port=postgres.port,
                user=role,
                password=passwords[name],
                dbname="bidwell",
            ).close()
            assert name in SERVICES["db"]["environment"]
    finally:
        supervisor.stop()
        postgres.remove()
