"""What each side says about the other afterwards, hidden until both spoke or time is up."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.ids import RefField
from projects.models.contracts import Contract

STARS = ("stars_work", "stars_communication", "stars_fairness")


class Review(models.Model):
    """One side's review of the other; published when both are in or the window ends."""

    ref = RefField()
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="reviews")
    author = models.ForeignKey(Party, models.PROTECT, related_name="reviews_written")
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Party, models.PROTECT, related_name="reviews")
    # Three questions per side, one to five stars each; see services.reviews for their words.
    stars_work = models.PositiveSmallIntegerField()
    stars_communication = models.PositiveSmallIntegerField()
    stars_fairness = models.PositiveSmallIntegerField()
    text = models.TextField(_("what should others know?"), max_length=2000)
    private_note = models.TextField(_("private note to us"), max_length=2000, blank=True)
    written_at = models.DateTimeField(default=clock.now)
    # The end of the window: until then the other side may still write, unseen.
    publish_due_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    # The reviewed side may answer once, in public.
    reply = models.TextField(_("reply"), max_length=1000, blank=True)
    replied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    replied_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("review")
        constraints = [
            models.UniqueConstraint(fields=["contract", "author"], name="review_once_per_side"),
            models.CheckConstraint(condition=~Q(author=F("subject")), name="review_of_the_other"),
            models.CheckConstraint(
                condition=Q(
                    stars_work__range=(1, 5),
                    stars_communication__range=(1, 5),
                    stars_fairness__range=(1, 5),
                ),
                name="review_stars",
            ),
            models.CheckConstraint(
                condition=Q(reply="") | Q(published_at__isnull=False, replied_at__isnull=False),
                name="review_reply_after_publication",
            ),
        ]
        indexes = [
            # What has become public since the matcher last looked.
            models.Index(fields=["published_at"], name="review_published"),
            models.Index(
                fields=["subject", "-published_at"],
                condition=Q(published_at__isnull=False),
                name="review_of_party",
            ),
            models.Index(
                fields=["publish_due_at"],
                condition=Q(published_at__isnull=True),
                name="review_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"review {self.ref}"

    @property
    def stars(self) -> dict[str, int]:
        """The three rows of stars by field."""
        return {name: getattr(self, name) for name in STARS}

    @property
    def mean(self) -> float:
        """Their mean, 1 to 5."""
        return sum(self.stars.values()) / len(STARS)
