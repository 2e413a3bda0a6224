"""The help articles: short, one task each, checked against what the product does."""

import re
from dataclasses import dataclass

from django.template import Engine
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Article:
    """One task. The text is the template of the same name."""

    slug: str
    title: str | Promise
    summary: str | Promise
    icon: str

    @property
    def template(self) -> str:
        """Where the text is."""
        return f"pages/help/{self.slug}.html"


ARTICLES = [
    Article(
        "setting-money-aside",
        _("Setting money aside for a milestone"),
        _("What you pay, who holds it, and how you get it back."),
        "lock",
    ),
    Article(
        "approving-work",
        _("Approving work or asking for changes"),
        _("What happens when you approve, when you ask for changes, and when you say nothing."),
        "eye",
    ),
    Article(
        "getting-paid",
        _("Getting paid as a freelancer"),
        _("From delivery to your bank account, and what Stripe asks you for."),
        "wallet",
    ),
    Article(
        "vat",
        _("VAT on your documents"),
        _("When there is some, when there is none, and what your VAT id changes."),
        "file",
    ),
    Article(
        "writing-a-bid",
        _("Writing, changing and withdrawing a bid"),
        _("What a bid holds, who can read it, and until when you can change it."),
        "edit",
    ),
    Article(
        "disagreements",
        _("When you disagree"),
        _("Pausing the money, who decides, and by when."),
        "scale",
    ),
    Article(
        "reviews",
        _("How reviews work"),
        _("Why neither of you can read the other’s review first."),
        "people",
    ),
    Article(
        "signing-in",
        _("Signing in"),
        _("A code by mail, a password or a passkey."),
        "key",
    ),
    Article(
        "test-money",
        _("What “Test money” means"),
        _("Some instances run without real payments."),
        "info",
    ),
]


def article_or_none(slug: str) -> Article | None:
    """The article with this address."""
    return next((article for article in ARTICLES if article.slug == slug), None)


def find_articles(query: str) -> list[Article]:
    """Articles that hold every word of the query, all of them for an empty one."""
    words = query.casefold().split()
    return [article for article in ARTICLES if all(word in _text(article) for word in words)]


def _text(article: Article) -> str:
    source = Engine.get_default().get_template(article.template).source
    plain = re.sub(r"{%.*?%}|<[^>]+>", " ", source)
    return f"{article.title} {article.summary} {plain}".casefold()
