"""How long and how often weights of the matcher are tried before they may be used."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0014_tax_requests'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='platformpolicy',
            name='shadow_days',
            field=models.PositiveSmallIntegerField(default=7, help_text='So long weights of the matcher are tried before they may be used.'),
        ),
        migrations.AddField(
            model_name='platformpolicy',
            name='shadow_lists',
            field=models.PositiveSmallIntegerField(default=50, help_text='So many lists are compared before they may be used.'),
        ),
        migrations.AddField(
            model_name='platformpolicy',
            name='shadow_loss',
            field=models.PositiveSmallIntegerField(default=5, help_text='Weights may be worse than the active ones on the benchmark by so many thousandths of nDCG@10.'),
        ),
        migrations.AddField(
            model_name='platformpolicy',
            name='shadow_percent',
            field=models.PositiveSmallIntegerField(default=20, help_text='Of every hundred lists, so many are also made with tried weights.'),
        ),
        migrations.AddConstraint(
            model_name='platformpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('shadow_days__range', (1, 90)), ('shadow_lists__range', (1, 5000)), ('shadow_loss__lte', 50), ('shadow_percent__range', (1, 100))), name='policy_shadow_bounded'),
        ),
    ]
