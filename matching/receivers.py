"""News from below: something can be found, or found differently, or no longer."""

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate  # noqa: TID251 - `migrate` is no service of ours
from django.dispatch import receiver

from accounts.models import Profile
from accounts.signals import profile_changed
from marketplace.core import clock, outbox
from matching import model_services, services
from projects.models import Contract, Project
from projects.signals import contract_ended, project_closed, project_published


@receiver(project_published, sender=Project)
def find_people(project: Project, **_rest: Any) -> None:
    """Somebody is looked for."""
    _changed("project", project.pk)


@receiver(project_closed, sender=Project)
def stop_suggesting(project: Project, **_rest: Any) -> None:
    """Nobody is looked for any more."""
    services.forget_project(project)


@receiver(profile_changed, sender=Profile)
def find_projects(profile: Profile, **_rest: Any) -> None:
    """A freelancer shows something else than before, or nothing."""
    _changed("party", profile.party_id)


@receiver(contract_ended, sender=Contract)
def learn_from_work(contract: Contract, **_rest: Any) -> None:
    """Finished work speaks for the freelancer."""
    _changed("party", contract.freelancer_id)


@receiver(post_migrate)
def take_over_weights(sender: AppConfig, using: str, apps: Any, **_rest: Any) -> None:
    """A new version of the software may bring new weights; their table may not be there yet."""
    is_ours = sender.label == "matching" and using == DEFAULT_DB_ALIAS
    if is_ours and "matchmodel" in apps.all_models["matching"]:
        model_services.ship()


def _changed(what: str, pk: int) -> None:
    key = f"match:{what}:{pk}:{clock.now().isoformat()}"
    outbox.put("matching", key, {"changed": what, "id": pk})
