"""Mail: written in the reader's language, sent by the outbox."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template import Context
from django.template.loader import get_template, render_to_string
from django.utils import timezone, translation

from marketplace.core import outbox
from marketplace.core.models import OutboxMessage

TOPIC = "mail"


def put(
    key: str,
    *,
    to: str,
    template: str,
    context: dict[str, Any],
    language: str = "en",
    time_zone: str = "UTC",
    headers: dict[str, str] | None = None,
) -> None:
    """Queue a mail made of `<template>.subject.txt`, `.txt` and `.html`, once per key."""
    context = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, **context}
    with translation.override(language), timezone.override(time_zone):
        subject = " ".join(_plain(f"{template}.subject.txt", context).split())
        text = _plain(f"{template}.txt", context)
        html = render_to_string(f"{template}.html", context)
    outbox.put(
        TOPIC,
        f"mail:{key}",
        {"to": to, "subject": subject, "text": text, "html": html, "headers": headers or {}},
    )


@outbox.handles(TOPIC)
def send(message: OutboxMessage) -> None:
    """Hand it to the mail server. The Message-ID is the key, so a repeat can be recognised."""
    letter = message.payload
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    mail = EmailMultiAlternatives(
        subject=letter["subject"],
        body=letter["text"],
        to=[letter["to"]],
        headers={"Message-ID": f"<{message.pk}.outbox@{domain}>", **letter["headers"]},
    )
    mail.attach_alternative(letter["html"], "text/html")
    try:
        mail.send()
    except OSError as error:
        raise outbox.Later(str(error)) from error
    with transaction.atomic():
        # The text is personal and has served its purpose.
        message.payload = {"subject": letter["subject"]}
        outbox.done(message)


def _plain(template: str, context: dict[str, Any]) -> str:
    """Text as it is: escaping is for HTML, and `&amp;` in a subject line is a bug."""
    compiled = get_template(template).template  # type: ignore[attr-defined]
    return str(compiled.render(Context(context, autoescape=False)))
