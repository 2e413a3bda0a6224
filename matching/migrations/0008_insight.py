"""What is counted every night of prices, demand and skills, and what nobody wants suggested."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import marketplace.core.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_former_addresses'),
        ('matching', '0007_controls'),
        ('projects', '0006_money_rest'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountedNight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=marketplace.core.clock.now, verbose_name='time')),
                ('until', models.DateTimeField(verbose_name='counted until')),
                ('prices', models.PositiveIntegerField(verbose_name='finished contracts')),
                ('months', models.PositiveIntegerField(verbose_name='skills and months')),
                ('pairs', models.PositiveIntegerField(verbose_name='pairs of skills')),
                ('took_ms', models.PositiveIntegerField(verbose_name='milliseconds')),
            ],
            options={
                'verbose_name': 'counted night',
            },
        ),
        migrations.CreateModel(
            name='UsualMilestone',
            fields=[
                ('currency', models.CharField(max_length=3, primary_key=True, serialize=False)),
                ('median_minor', models.BigIntegerField()),
                ('milestones', models.PositiveIntegerField()),
            ],
            options={
                'verbose_name': 'usual milestone',
            },
        ),
        migrations.CreateModel(
            name='SkillYear',
            fields=[
                ('skill', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='market_year', serialize=False, to='accounts.skill')),
                ('posted', models.PositiveIntegerField()),
                ('clients', models.PositiveIntegerField()),
                ('bids', models.PositiveIntegerField()),
                ('bidders', models.PositiveIntegerField()),
                ('hired', models.PositiveIntegerField()),
                ('available', models.PositiveIntegerField()),
            ],
            options={
                'verbose_name': 'skill over a year',
                'verbose_name_plural': 'skills over a year',
                'indexes': [models.Index(fields=['-posted', 'skill'], name='skill_year_most_asked')],
            },
        ),
        migrations.CreateModel(
            name='DismissedSkill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=marketplace.core.clock.now)),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dismissed_skills', to='accounts.profile')),
                ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.skill')),
            ],
            options={
                'verbose_name': 'dismissed skill',
                'constraints': [models.UniqueConstraint(fields=('profile', 'skill'), name='dismissed_skill_once')],
            },
        ),
        migrations.CreateModel(
            name='FinishedPrice',
            fields=[
                ('contract', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='finished_price', serialize=False, to='projects.contract')),
                ('currency', models.CharField(max_length=3)),
                ('price_minor', models.BigIntegerField()),
                ('skills', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.party')),
                ('freelancer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.party')),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='projects.project')),
            ],
            options={
                'verbose_name': 'price of finished work',
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['skills'], name='finished_price_skills')],
                'constraints': [models.CheckConstraint(condition=models.Q(('price_minor__gt', 0)), name='finished_price_positive')],
            },
        ),
        migrations.CreateModel(
            name='SkillMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('posted', models.PositiveIntegerField(default=0)),
                ('clients', models.PositiveIntegerField(default=0)),
                ('bids', models.PositiveIntegerField(default=0)),
                ('bidders', models.PositiveIntegerField(default=0)),
                ('hired', models.PositiveIntegerField(default=0)),
                ('available', models.PositiveIntegerField(null=True)),
                ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='market_months', to='accounts.skill')),
            ],
            options={
                'verbose_name': 'skill in a month',
                'verbose_name_plural': 'skills in a month',
                'constraints': [models.UniqueConstraint(fields=('skill', 'month'), name='skill_month_once'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='skill_month_is_first_day')],
            },
        ),
        migrations.CreateModel(
            name='SkillPair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('together', models.PositiveIntegerField()),
                ('asked', models.PositiveIntegerField()),
                ('lift', models.FloatField()),
                ('weight', models.FloatField()),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.skill')),
                ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asked_with', to='accounts.skill')),
            ],
            options={
                'verbose_name': 'pair of skills',
                'verbose_name_plural': 'pairs of skills',
                'indexes': [models.Index(fields=['skill', '-weight'], name='skill_pair_strongest')],
                'constraints': [models.UniqueConstraint(fields=('skill', 'other'), name='skill_pair_once'), models.CheckConstraint(condition=models.Q(('skill', models.F('other')), _negated=True), name='skill_pair_of_two'), models.CheckConstraint(condition=models.Q(('together__gt', 0), ('together__lte', models.F('asked'))), name='skill_pair_within')],
            },
        ),
    ]
