"""Downloads."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.views.decorators.http import require_safe

from marketplace.core import files
from marketplace.core.http import UserRequest
from projects.selectors.files import file_to_read


@require_safe
@login_required
def download(request: UserRequest, ref: str) -> FileResponse:
    """A file as an attachment, for whoever may look where it hangs."""
    return files.download(file_to_read(request.user, ref))
