"""From how many people on figures of the past are shown, and when a contract is called silent."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0016_match_appeals'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='platformpolicy',
            name='insight_contracts',
            field=models.PositiveSmallIntegerField(default=8, help_text='Fewer finished contracts than this make no price range.'),
        ),
        migrations.AddField(
            model_name='platformpolicy',
            name='insight_months',
            field=models.PositiveSmallIntegerField(default=24, help_text='So far back prices and months are counted.'),
        ),
        migrations.AddField(
            model_name='platformpolicy',
            name='insight_people',
            field=models.PositiveSmallIntegerField(default=5, help_text='Figures that fewer clients or freelancers stand behind are not shown.'),
        ),
        migrations.AddField(
            model_name='platformpolicy',
            name='silence_days',
            field=models.PositiveSmallIntegerField(default=7, help_text='After so many days without a sign of life a contract’s outlook says so.'),
        ),
        migrations.AddConstraint(
            model_name='platformpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('insight_contracts__gte', 8), ('insight_months__range', (12, 60)), ('insight_people__gte', 5), ('silence_days__range', (2, 60))), name='policy_insight_hides_people'),
        ),
    ]
