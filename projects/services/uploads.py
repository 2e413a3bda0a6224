"""Files people hand over."""

from collections.abc import Sequence
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import files
from marketplace.core.errors import InvalidInput
from marketplace.core.models import StoredFile

MOST_FILES = 20


def keep(
    uploads: "Sequence[File[Any]]", stored: Sequence[StoredFile] = (), *, by: User
) -> list[StoredFile]:
    """Store uploads beside what `by` stored before; call it before taking any lock.

    Raises InvalidInput (field "files") for too many files, or for somebody else's.
    """
    if len(uploads) + len(stored) > MOST_FILES:
        raise InvalidInput(_("Add %(most)s files or fewer") % {"most": MOST_FILES}, field="files")
    if any(file.uploaded_by_id != by.pk for file in stored):
        raise InvalidInput(_("Only files you uploaded can be added"), field="files")
    return [*stored, *(files.store(upload, by=by) for upload in uploads)]
