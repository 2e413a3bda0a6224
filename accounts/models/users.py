"""The person who signs in."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from marketplace.core import clock
from marketplace.core.ids import RefField

if TYPE_CHECKING:
    from accounts.models.parties import Party


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user without a party; `services.people.join` makes complete ones."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff with every right, for `manage.py createsuperuser`."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the identity; freelancing and hiring are both open."""

    class Side(models.TextChoices):
        WORK = "work", _("Freelancing")
        HIRE = "hire", _("Hiring")

    ref = RefField()
    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120)
    # The party this person is: made with the user, never null after joining.
    party = models.OneToOneField(
        "accounts.Party", models.PROTECT, null=True, related_name="person", editable=False
    )
    # Which half of the product /home/ and the navigation show.
    side = models.CharField(max_length=4, choices=Side, default=Side.WORK)
    # For whom this person hires now: their own party or a company they belong to.
    hires_for = models.ForeignKey(
        "accounts.Party", models.PROTECT, null=True, related_name="+", editable=False
    )
    language = models.CharField(_("language"), max_length=8, default="en")
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=Q(side__in=["work", "hire"]), name="user_side"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def own_party(self) -> "Party":
        """The party this person is; everybody who joined has one."""
        if self.party is None:
            raise RuntimeError("This user has never signed in, so they have no party yet.")
        return self.party

    @property
    def unread_notices(self) -> int:
        """How many notices wait to be read."""
        return self.notices.filter(read_at=None).count()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]
