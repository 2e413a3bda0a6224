"""Vectors of texts that outlive a worker, and from when the data of a ranking was."""

import datetime

import marketplace.core.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('matching', '0003_rankings_forgotten'),
    ]

    operations = [
        migrations.CreateModel(
            name='TextVector',
            fields=[
                ('digest', models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                ('model', models.CharField(max_length=40, verbose_name='model')),
                ('vector', models.BinaryField()),
                ('used_on', models.DateField(verbose_name='last used')),
            ],
            options={
                'verbose_name': 'vector of a text',
                'verbose_name_plural': 'vectors of texts',
            },
        ),
        migrations.AddField(
            model_name='matchrun',
            name='as_of',
            # Nobody knows of the rankings so far; they are made again.
            field=models.DateTimeField(default=datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc), verbose_name='as of'),
        ),
        migrations.AlterField(
            model_name='matchrun',
            name='as_of',
            field=models.DateTimeField(default=marketplace.core.clock.now, verbose_name='as of'),
        ),
        migrations.AddField(
            model_name='skillreading',
            name='asker',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name='match',
            name='engine',
            field=models.CharField(max_length=80),
        ),
        migrations.AlterField(
            model_name='matchrun',
            name='engine',
            field=models.CharField(max_length=80, verbose_name='engine version'),
        ),
        migrations.AddIndex(
            model_name='skillreading',
            index=models.Index(condition=models.Q(('read_at__isnull', True)), fields=['asker'], name='skill_reading_waiting'),
        ),
        migrations.AddIndex(
            model_name='textvector',
            index=models.Index(fields=['used_on'], name='text_vector_used'),
        ),
    ]
