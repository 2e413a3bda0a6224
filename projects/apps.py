"""The app of work: projects, bids, contracts and what follows from them."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
