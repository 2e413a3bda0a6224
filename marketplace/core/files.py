"""Uploads: checked, stored under a random key, served as attachments only."""

import hashlib
import io
import mimetypes
import secrets
import unicodedata
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from marketplace.core import clock
from marketplace.core.errors import InvalidInput
from marketplace.core.models import StoredFile

if TYPE_CHECKING:
    from accounts.models import User

# What a double click would run on somebody's computer.
REFUSED_ENDINGS = {
    ".exe", ".msi", ".bat", ".cmd", ".com", ".scr", ".ps1", ".vbs", ".js", ".jse", ".wsf",
    ".hta", ".jar", ".lnk", ".reg", ".html", ".htm", ".xhtml", ".shtml", ".svg", ".php", ".sh",
}  # fmt: skip
IMAGE_KINDS = {"PNG", "JPEG", "WEBP", "GIF"}
LARGEST_IMAGE_PIXELS = 40_000_000


def store(upload: "File[bytes]", *, by: "User") -> StoredFile:
    """Keep an upload; raises InvalidInput (field "files") when it breaks a rule.

    The bytes are written before the row: a crash leaves an orphan that the clean-up removes,
    never a row without its file.
    """
    name = clean_name(upload.name or "")
    size = upload.size or 0
    if size == 0:
        raise InvalidInput(_("%(name)s is empty") % {"name": name}, field="files")
    if size > settings.UPLOAD_LIMIT_BYTES:
        raise InvalidInput(
            _("%(name)s is %(size)d MB. The limit is %(limit)d MB")
            % {
                "name": name,
                "size": -(-size // 1_048_576),
                "limit": settings.UPLOAD_LIMIT_BYTES // 1_048_576,
            },
            field="files",
        )
    ending = PurePosixPath(name).suffix.lower()
    if ending in REFUSED_ENDINGS:
        raise InvalidInput(
            _("%(ending)s files are not accepted. Put it in a ZIP and describe it")
            % {"ending": ending},
            field="files",
        )
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    key = default_storage.save(f"{clock.now():%Y/%m}/{secrets.token_urlsafe(24)}", upload)
    return StoredFile.objects.create(
        storage_key=key,
        name=name,
        content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        size=size,
        sha256=digest.hexdigest(),
        scan=StoredFile.Scan.CLEAN,
        uploaded_by=by,
        uploaded_at=clock.now(),
    )


def store_image(upload: "File[bytes]", *, by: "User", longest: int = 1600) -> StoredFile:
    """Keep a picture re-encoded: nothing but its pixels survives.

    Raises InvalidInput for anything that is not a picture of a reasonable size.
    """
    try:
        with Image.open(upload) as picture:
            if picture.format not in IMAGE_KINDS or picture.width * picture.height > (
                LARGEST_IMAGE_PIXELS
            ):
                raise InvalidInput(_("Choose a PNG, JPEG or WebP picture"), field="image")
            picture.thumbnail((longest, longest))
            clean = io.BytesIO()
            picture.convert("RGB").save(clean, "WEBP", quality=82)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InvalidInput(_("Choose a PNG, JPEG or WebP picture"), field="image") from error
    name = PurePosixPath(clean_name(upload.name or "picture")).stem + ".webp"
    return store(File(io.BytesIO(clean.getvalue()), name=name), by=by)


def discard(file: StoredFile) -> None:
    """Forget an upload nothing points at any more. The bytes go after commit, the row now."""
    key = file.storage_key
    file.delete()
    transaction.on_commit(partial(default_storage.delete, key))


def clean_name(name: str) -> str:
    """A file name safe to show and to send in a header: one path part, no control marks."""
    base = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    kept = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip(" .")
    return kept[-150:] or "file"


def download(file: StoredFile) -> FileResponse:
    """The file as an attachment; the caller has checked who asks."""
    response = FileResponse(
        default_storage.open(file.storage_key), as_attachment=True, filename=file.name
    )
    response["Content-Type"] = "application/octet-stream"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def image(file: StoredFile) -> HttpResponse:
    """A picture we re-encoded ourselves, and so made small, shown inside a page."""
    with default_storage.open(file.storage_key) as stored:
        response = HttpResponse(stored.read(), content_type="image/webp")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
