"""The list of skills that every installation starts with."""

from django.db import migrations

from accounts import curated


def load(apps, schema_editor):
    curated.load(apps.get_model("accounts", "Skill"), apps.get_model("accounts", "SkillAlias"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
