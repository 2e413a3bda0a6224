"""What several pages of money answer with: the links of a pager, and files."""

from django.http import HttpRequest, HttpResponse


def pager(request: HttpRequest, after: str) -> dict[str, str]:
    """Links of the pager: the next page when there is one, and back to the start."""
    kept = request.GET.copy()
    kept.pop("after", None)
    first = f"{request.path}?{kept.urlencode()}".rstrip("?")
    kept["after"] = after
    return {
        "next_url": f"{request.path}?{kept.urlencode()}" if after else "",
        "first_url": first if request.GET.get("after") else "",
    }


def download(content: str | bytes, content_type: str, name: str) -> HttpResponse:
    """A file under this name, of which no browser runs anything."""
    return HttpResponse(
        content,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
