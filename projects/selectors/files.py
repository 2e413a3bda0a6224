"""Who may read which file. One query answers for every place a file can hang."""

from django.db.models import Exists, OuterRef, Q
from django.http import Http404

from accounts.models import Membership, User
from marketplace.core.models import StoredFile
from projects.models import Project


def file_to_read(user: User, ref: str) -> StoredFile:
    """A file that hangs somewhere the user may look, checked for viruses; 404 otherwise."""
    readable = StoredFile.objects.filter(_of_project(user), scan=StoredFile.Scan.CLEAN)
    file = readable.filter(ref=ref).first()
    if file is None:
        raise Http404
    return file


def _of_project(user: User) -> Exists:
    """Attachments of a published project are for everybody, of a draft for the client's people."""
    mine = Membership.objects.filter(party=OuterRef("client"), user=user)
    seen = ~Q(status=Project.Status.DRAFT) | Exists(mine)
    return Exists(Project.objects.filter(seen, files=OuterRef("pk")))
