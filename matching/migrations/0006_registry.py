"""Weights as rows: which rank, which are tried, who decided; and the switch of matching."""

import django.db.models.deletion
import marketplace.core.clock
import marketplace.core.guards
import marketplace.core.ids
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('matching', '0005_placing'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MatchModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('staging', 'Not in use yet'), ('shadow', 'Tried beside the active one'), ('active', 'Active'), ('retired', 'No longer in use')], default='staging', max_length=24, verbose_name='status')),
                ('origin', models.CharField(choices=[('shipped', 'Came with the software'), ('entered', 'Entered by staff')], max_length=8, verbose_name='origin')),
                ('weights', models.JSONField(verbose_name='weights')),
                ('sha256', models.CharField(max_length=64)),
                ('engine', models.CharField(max_length=40, verbose_name='engine')),
                ('fitted', models.JSONField(default=dict, verbose_name='how they were fitted')),
                ('figures', models.JSONField(default=dict, verbose_name='benchmark')),
                ('created_at', models.DateTimeField(default=marketplace.core.clock.now, verbose_name='entered')),
                ('shadow_since', models.DateTimeField(null=True, verbose_name='tried since')),
                ('active_since', models.DateTimeField(null=True, verbose_name='active since')),
                ('replaced', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='matching.matchmodel', verbose_name='replaced')),
            ],
            options={
                'verbose_name': 'weights of the matcher',
                'verbose_name_plural': 'weights of the matcher',
                'permissions': [('act_on_matchmodel', 'Can try, propose and confirm weights')],
            },
        ),
        migrations.CreateModel(
            name='ModelAct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('entered', 'Entered'), ('tried', 'Tried beside the active one'), ('rested', 'No longer tried'), ('proposed', 'Proposed'), ('refused', 'Refused by the second person'), ('promoted', 'Put to use'), ('shipped', 'Put to use with a new version of the software'), ('rolled_back', 'Put back to use'), ('retired', 'Retired')], max_length=12)),
                ('at', models.DateTimeField(default=marketplace.core.clock.now)),
                ('why', models.TextField(max_length=1000)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='acts', to='matching.matchmodel')),
            ],
            options={
                'verbose_name': 'act on weights',
                'verbose_name_plural': 'acts on weights',
            },
        ),
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', marketplace.core.ids.RefField(default=marketplace.core.ids.new_ref, editable=False, max_length=10, unique=True)),
                ('status', models.CharField(choices=[('asked', 'Waits for a second person'), ('done', 'Put to use'), ('refused', 'Refused')], default='asked', max_length=24, verbose_name='status')),
                ('reason', models.TextField(max_length=1000, verbose_name='reason')),
                ('asked_at', models.DateTimeField(default=marketplace.core.clock.now, verbose_name='asked')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                ('answer', models.TextField(blank=True, max_length=1000, verbose_name='answer')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='promotions', to='matching.matchmodel')),
            ],
            options={
                'verbose_name': 'proposal to use weights',
                'verbose_name_plural': 'proposals to use weights',
            },
        ),
        migrations.CreateModel(
            name='ShadowFigure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=8)),
                ('at', models.DateTimeField(default=marketplace.core.clock.now)),
                ('listed', models.PositiveSmallIntegerField()),
                ('overlap', models.FloatField()),
                ('tau', models.FloatField()),
                ('new', models.PositiveSmallIntegerField()),
                ('new_tried', models.PositiveSmallIntegerField()),
                ('against', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='matching.matchmodel')),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='figures_tried', to='matching.matchmodel')),
            ],
            options={
                'verbose_name': 'comparison of weights',
                'verbose_name_plural': 'comparisons of weights',
            },
        ),
        migrations.CreateModel(
            name='MatcherSwitch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(choices=[('off', 'Off: nothing is ranked, lists are newest first'), ('shadow', 'Ranked and logged, but lists are newest first'), ('on', 'On')], max_length=8, verbose_name='matching')),
                ('at', models.DateTimeField(default=marketplace.core.clock.now, verbose_name='time')),
                ('why', models.TextField(max_length=1000, verbose_name='reason')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'switch of matching',
                'verbose_name_plural': 'switches of matching',
                'permissions': [('act_on_matcherswitch', 'Can switch matching on and off')],
                'constraints': [models.CheckConstraint(condition=models.Q(('mode__in', ['off', 'shadow', 'on'])), name='matcher_switch_mode'), models.CheckConstraint(condition=models.Q(('why__regex', '\\S.{8,}\\S')), name='matcher_switch_has_reason')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='matcherswitch',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='b74357cb98a4accb2982794619737b0029b10bfe', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_42bc1', table='matching_matcherswitch', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='matcherswitch',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='ef9abcfa44143e8c75bccd717668188ad2fffdf9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_bc381', table='matching_matcherswitch', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='matchmodel',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['staging', 'shadow', 'active', 'retired'])), name='match_model_status'),
        ),
        migrations.AddConstraint(
            model_name='matchmodel',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['shipped', 'entered'])), name='match_model_origin'),
        ),
        migrations.AddConstraint(
            model_name='matchmodel',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('status',), name='match_model_one_active'),
        ),
        migrations.AddConstraint(
            model_name='matchmodel',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'shadow')), fields=('status',), name='match_model_one_shadow'),
        ),
        migrations.AddConstraint(
            model_name='matchmodel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'shadow'), _negated=True), ('shadow_since__isnull', False), _connector='OR'), name='match_model_shadow_has_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='matchmodel',
            trigger=pgtrigger.compiler.Trigger(name='content_stays', sql=marketplace.core.guards.GuardSql(func="\n    IF TG_OP = 'DELETE'\n        OR to_jsonb(NEW) - ARRAY['status', 'replaced_id', 'shadow_since', 'active_since']\n            IS DISTINCT FROM\n            to_jsonb(OLD) - ARRAY['status', 'replaced_id', 'shadow_since', 'active_since']\n    THEN\n        RAISE EXCEPTION '% on % is refused: weights are written once', TG_OP, TG_TABLE_NAME\n            USING ERRCODE = 'restrict_violation';\n    END IF;\n    RETURN NEW;\n", hash='393bd401c15497ddc967cb62c1418d68667a773a', operation='UPDATE OR DELETE', pgid='pgtrigger_content_stays_b8b04', table='matching_matchmodel', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='matchmodel',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='11e38b9f468d5b940a22fce55af9fb7826e92220', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_59e29', table='matching_matchmodel', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='modelact',
            constraint=models.CheckConstraint(condition=models.Q(('why__regex', '\\S.{8,}\\S')), name='model_act_has_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='modelact',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='8258f2c6c5846aa0123084aa3bb0e4e36da4bd02', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_f9fd4', table='matching_modelact', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='modelact',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='cc62b44cea54d0694d030de0fa7c1f37fe3d33d7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_68798', table='matching_modelact', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['asked', 'done', 'refused'])), name='promotion_status'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S.{8,}\\S')), name='promotion_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'asked')), fields=('status',), name='promotion_one_waits'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='promotion_two_people'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('status', 'asked')), models.Q(models.Q(('status', 'asked'), _negated=True), ('answer__regex', '\\S.{8,}\\S'), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='promotion_decided_by_person'),
        ),
        migrations.AddIndex(
            model_name='shadowfigure',
            index=models.Index(fields=['model', 'against'], name='shadow_figure_pair'),
        ),
        migrations.AddConstraint(
            model_name='shadowfigure',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['people', 'projects'])), name='shadow_figure_kind'),
        ),
        migrations.AddConstraint(
            model_name='shadowfigure',
            constraint=models.CheckConstraint(condition=models.Q(('overlap__range', (0, 1)), ('tau__range', (-1, 1))), name='shadow_figure_bounded'),
        ),
        migrations.AddConstraint(
            model_name='shadowfigure',
            constraint=models.CheckConstraint(condition=models.Q(('model', models.F('against')), _negated=True), name='shadow_figure_of_two'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='shadowfigure',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='7ba35fd2187bb02fbbfe4ddc13219fc876f4f47e', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_97085', table='matching_shadowfigure', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='shadowfigure',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=marketplace.core.guards.GuardSql(func="RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';", hash='93baf7571424bb12b5aba550ccceffe2dc5bcef4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_deb20', table='matching_shadowfigure', when='BEFORE')),
        ),
    ]
