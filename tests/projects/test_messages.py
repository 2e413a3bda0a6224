"""The thread of a contract."""

import pytest

from marketplace.core.errors import InvalidInput, NotAllowed
from projects.models import Message, MessageRead
from projects.selectors.contracts import unread_messages
from projects.services import messages
from tests.factories import UserFactory
from tests.projects.work import download, signed_in, upload


def test_a_message_reaches_the_other_side_with_its_files(work):
    url = f"{work.contract.get_absolute_url()}messages/"

    sent = work.as_client.post(url, {"body": "Could you look?", "files": [upload("shot.png")]})

    message = Message.objects.get()
    assert sent["Location"] == f"{url}#m-{message.ref}"
    page = work.as_freelancer.get(url).content.decode()
    assert "Could you look?" in page
    assert "shot.png" in page
    file = message.files.get()
    assert download(work.as_freelancer, file) == 200
    assert download(signed_in(UserFactory()), file) == 404
    assert work.freelancer.notices.get(kind="message").url == url


def test_an_unread_stretch_is_one_notice_however_long_it_grows(work):
    for body in ("One", "Two", "Three"):
        messages.send(work.contract, by=work.client, body=body)

    assert work.freelancer.notices.filter(kind="message").count() == 1
    messages.mark_read(work.contract, by=work.freelancer)
    assert work.freelancer.notices.filter(kind="message", read_at=None).count() == 0
    messages.send(work.contract, by=work.client, body="Four")
    assert work.freelancer.notices.filter(kind="message").count() == 2


def test_looking_at_the_thread_marks_nothing_and_reading_it_does(work):
    messages.send(work.contract, by=work.client, body="Hello")
    url = f"{work.contract.get_absolute_url()}messages/"

    assert "New</span>" in work.as_freelancer.get(url).content.decode()
    assert unread_messages(work.freelancer) == 1
    work.as_freelancer.post(f"{url}read/")

    assert unread_messages(work.freelancer) == 0
    assert "New</span>" not in work.as_freelancer.get(url).content.decode()
    assert ", seen" in work.as_client.get(url).content.decode()


def test_read_marks_never_move_back(work):
    first = messages.send(work.contract, by=work.client, body="One")
    last = messages.send(work.contract, by=work.client, body="Two")
    messages.mark_read(work.contract, by=work.freelancer)

    messages.mark_read(work.contract, by=work.freelancer, up_to=first)

    read = MessageRead.objects.get(user=work.freelancer)
    assert read.last_message == last


def test_an_empty_message_is_refused_and_strangers_cannot_write(work):
    url = f"{work.contract.get_absolute_url()}messages/"

    assert work.as_client.post(url, {"body": "  "}).status_code == 422
    with pytest.raises(InvalidInput):
        messages.send(work.contract, by=work.client, body="\u200b")
    with pytest.raises(NotAllowed):
        messages.send(work.contract, by=UserFactory(), body="Buy this")
    assert signed_in(UserFactory()).post(url, {"body": "Hi"}).status_code == 404
    assert Message.objects.count() == 0


def test_htmx_gets_the_conversation_without_the_page(work):
    url = f"{work.contract.get_absolute_url()}messages/"

    part = work.as_client.post(url, {"body": "Hello"}, headers={"HX-Request": "true"})

    text = part.content.decode()
    assert "<html" not in text
    assert "Hello" in text


def test_the_list_of_threads_shows_the_last_line_and_what_is_new(work):
    messages.send(work.contract, by=work.client, body="Could you look?")

    page = work.as_freelancer.get("/messages/").content.decode()

    assert "Kim Weber" in page
    assert "Could you look?" in page
    assert "1 new" in page
    assert "You: Could you look?" in " ".join(
        work.as_client.get("/messages/").content.decode().split()
    )


def test_long_threads_come_in_parts(work):
    for n in range(55):
        Message.objects.create(
            contract=work.contract, author=work.client, side="client", body=f"Line {n:02}"
        )
    url = f"{work.contract.get_absolute_url()}messages/"

    page = work.as_freelancer.get(url).content.decode()
    cursor = page.partition("?before=")[2][:10]
    earlier = work.as_freelancer.get(f"{url}?before={cursor}").content.decode()

    assert "Line 54" in page
    assert "Line 04" not in page
    assert "Line 04" in earlier
    assert "Line 05" not in earlier
