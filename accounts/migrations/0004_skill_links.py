"""Links between skills and their public codes; the list and its links are brought up to date."""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

from accounts import curated


def load(apps, schema_editor):
    skill = apps.get_model("accounts", "Skill")
    curated.load(skill, apps.get_model("accounts", "SkillAlias"))
    curated.load_links(skill, apps.get_model("accounts", "SkillLink"))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_curated_skills'),
    ]

    operations = [
        migrations.CreateModel(
            name='SkillCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scheme', models.CharField(choices=[('esco', 'ESCO'), ('onet', 'O*NET')], max_length=8, verbose_name='classification')),
                ('code', models.CharField(max_length=200, verbose_name='code')),
                ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='accounts.skill')),
            ],
            options={
                'verbose_name': 'skill code',
                'constraints': [models.UniqueConstraint(fields=('scheme', 'code'), name='skill_code_once'), models.CheckConstraint(condition=models.Q(('scheme__in', ['esco', 'onet'])), name='skill_scheme')],
            },
        ),
        migrations.CreateModel(
            name='SkillLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('broader', 'is part of'), ('related', 'goes with')], max_length=10, verbose_name='link')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links_here', to='accounts.skill', verbose_name='other skill')),
                ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='accounts.skill', verbose_name='skill')),
            ],
            options={
                'verbose_name': 'skill link',
                'constraints': [models.UniqueConstraint(django.db.models.functions.comparison.Least('skill', 'other'), django.db.models.functions.comparison.Greatest('skill', 'other'), name='skill_link_once'), models.CheckConstraint(condition=models.Q(('skill', models.F('other')), _negated=True), name='skill_link_two_skills'), models.CheckConstraint(condition=models.Q(('kind__in', ['broader', 'related'])), name='skill_link_kind')],
            },
        ),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
