"""Readings of skills in texts, and what was learned from clients' choices."""

import marketplace.core.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('matching', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SkillReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('text', models.TextField(blank=True)),
                ('asked_at', models.DateTimeField(default=marketplace.core.clock.now)),
                ('read_at', models.DateTimeField(null=True)),
                ('engine', models.CharField(blank=True, max_length=60, verbose_name='engine version')),
                ('results', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'reading of skills',
                'indexes': [models.Index(fields=['asked_at'], name='skill_reading_asked')],
                'constraints': [models.CheckConstraint(condition=models.Q(('read_at__isnull', True), ('text', ''), _connector='OR'), name='skill_reading_keeps_no_text')],
            },
        ),
        migrations.CreateModel(
            name='TagLesson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=marketplace.core.clock.now, verbose_name='time')),
                ('projects', models.PositiveIntegerField(verbose_name='postings learned from')),
                ('skills', models.PositiveIntegerField(verbose_name='skills among them')),
                ('quality', models.FloatField(verbose_name='quality')),
                ('yardstick', models.FloatField(verbose_name='quality of looking for names')),
                ('is_used', models.BooleanField(verbose_name='good enough to be used')),
                ('needs_encoder', models.BooleanField(verbose_name='learned with meanings')),
                ('sha256', models.CharField(max_length=64)),
                ('weights', models.BinaryField()),
            ],
            options={
                'verbose_name': 'lesson in skills',
                'verbose_name_plural': 'lessons in skills',
                'constraints': [models.CheckConstraint(condition=models.Q(('is_used', False), ('quality__gt', models.F('yardstick')), _connector='OR'), name='tag_lesson_used_is_better')],
            },
        ),
    ]
