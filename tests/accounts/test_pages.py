"""The pages of accounts: they work without script, say what is wrong, and stay quick."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import PortfolioItem, Profile
from accounts.selectors import acts_for
from accounts.services import memberships, notices, people, profiles
from marketplace.core.money import Money
from tests.factories import CompanyFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db


def signed_in(user, **kwargs):
    client = Client(**kwargs)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- Editing --------------------------------------------------------------------------------


def test_the_profile_form_saves_what_was_typed_as_people_type_it():
    user = UserFactory()
    response = signed_in(user).post(
        "/profile/",
        {
            "headline": "Accessible checkouts",
            "rate_min": "€55",
            "rate_max": "1,200.50",
            "availability": "now",
            "is_visible": "on",
        },
    )
    assert response.status_code == 303
    profile = Profile.objects.get(party=user.party)
    assert profile.rate_low == Money(5500, "EUR")
    assert profile.rate_high == Money(120050, "EUR")


def test_a_refused_rule_stands_at_its_field_and_keeps_the_text():
    page = signed_in(UserFactory()).post(
        "/profile/", {"headline": "Kept", "availability": "from", "bio": "Kept too"}
    )
    assert page.status_code == 422
    html = page.content.decode()
    assert "Enter the date you are free from" in html
    assert 'href="#id_available_from"' in html
    assert "Kept too" in html
    assert "<title>Error:" in html


def test_skills_are_added_changed_and_removed_without_script():
    user = UserFactory()
    client = signed_in(user)

    def levels():
        rows = user.party.profile.profile_skills.all()
        return {row.skill.name: row.level for row in rows}

    client.post("/profile/skills/", {"new": "django", "new_level": "3"})
    client.post("/profile/skills/", {"skill": ["Django"], "level": ["2"], "new": "Glass blowing"})
    assert levels() == {"Django": 2, "Glass blowing": 2}
    client.post(
        "/profile/skills/",
        {"skill": ["Django", "Glass blowing"], "level": ["3", "2"], "remove": "Glass blowing"},
    )
    assert levels() == {"Django": 3}


def test_a_mangled_list_of_skills_changes_nothing():
    profile = ProfileFactory(skills={"Django": 3})
    page = signed_in(profile.party.person).post("/profile/skills/", {"skill": ["Django"]})
    assert page.status_code == 422
    assert profile.profile_skills.count() == 1


def picture():
    data = io.BytesIO()
    Image.new("RGB", (40, 20), "teal").save(data, "PNG")
    return SimpleUploadedFile("shot.png", data.getvalue(), content_type="image/png")


def test_a_sample_with_picture_is_added_shown_moved_and_removed():
    user = ProfileFactory().party.person
    client = signed_in(user)
    for title in ("First", "Second"):
        client.post(
            "/profile/samples/new/",
            {"title": title, "image": picture(), "image_alt": "A teal box", "url": ""},
        )
    first, second = PortfolioItem.objects.order_by("pk")
    image = Client().get(reverse("accounts:portfolio-image", args=[first.ref]))
    assert image["Content-Type"] == "image/webp"
    assert image["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert image.content.startswith(b"RIFF")
    client.post(reverse("accounts:move-sample", args=[second.ref]), {"to": "up"})
    assert list(PortfolioItem.objects.values_list("title", flat=True)) == ["Second", "First"]
    asked = client.get(reverse("accounts:remove-sample", args=[first.ref]))
    assert "cannot be undone" in text_of(asked)
    client.post(reverse("accounts:remove-sample", args=[first.ref]))
    assert PortfolioItem.objects.get() == second


def test_samples_of_others_do_not_exist_for_me():
    profile = ProfileFactory()
    item = profiles.add_sample(profile, by=profile.party.person, title="Mine")
    stranger = signed_in(UserFactory())
    for name in ("edit-sample", "remove-sample"):
        assert stranger.get(reverse(f"accounts:{name}", args=[item.ref])).status_code == 404
    assert stranger.post(reverse("accounts:move-sample", args=[item.ref])).status_code == 404


# --- Looking --------------------------------------------------------------------------------


def test_a_public_profile_shows_what_matters_and_escapes_it():
    profile = ProfileFactory(
        user__name="Ines Kovač",
        headline="<script>alert(1)</script>",
        bio="{{7*7}} %(x)s <img src=x onerror=alert(1)>",
        skills={"Django": 3},
        rate_min=Money(5500, "EUR"),
        rate_max=Money(7000, "EUR"),
    )
    page = Client().get(f"/people/{profile.handle}/")
    html = page.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<img src=x" not in html
    assert "{{7*7}} %(x)s" in html
    assert "€55–70" in text_of(page)
    assert "Expert" in text_of(page)


def test_a_hidden_profile_is_not_found_by_anybody_but_its_person():
    profile = ProfileFactory(is_visible=False, headline="Secret gardener")
    item = profiles.add_sample(
        profile, by=profile.party.person, title="T", image=picture(), image_alt="A"
    )
    addresses = [f"/people/{profile.handle}/", f"/samples/{item.ref}/picture/"]
    for address in addresses:
        assert Client().get(address).status_code == 404
        assert signed_in(UserFactory()).get(address).status_code == 404
        assert signed_in(profile.party.person).get(address).status_code == 200
    assert "Secret gardener" not in Client().get("/people/?q=gardener").content.decode()


def test_a_closed_account_is_not_shown():
    profile = ProfileFactory()
    user = profile.party.person
    user.is_active = False
    user.save()
    assert Client().get(f"/people/{profile.handle}/").status_code == 404
    assert profile.headline not in Client().get("/people/").content.decode()


@pytest.fixture
def three_people():
    return [
        ProfileFactory(user__name="Ana Lee", headline="Django for museums", skills={"Django": 3},
                       rate_min=Money(5000, "EUR")),
        ProfileFactory(user__name="Bo Chen", headline="Posters", availability="busy",
                       skills={"Poster design": 2, "htmx": 1}),
        ProfileFactory(user__name="Cy Diaz", headline="Songs", bio="I sing about museums.",
                       skills={"Songwriting": 3, "Django": 1}, rate_min=Money(9000, "EUR")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "CBA"),
        ("q=museums", "CA"),
        ("q=chen", "B"),
        ("q=drf", ""),
        ("q=python+django", "CA"),
        ("q=%22for+museums%22", "A"),
        ("skill=django", "CA"),
        ("skill=Django&skill=songwriter", "C"),
        ("available=1", "CA"),
        ("rate=60", "A"),
        ("rate=abc", "CBA"),
        ("q=museums&rate=60", "A"),
        ("after=rubbish", "CBA"),
    ],
)
def test_people_are_found_by_what_they_do(three_people, query, names):
    page = Client().get(f"/people/?{query}")
    first = {"A": "Ana Lee", "B": "Bo Chen", "C": "Cy Diaz"}
    html = page.content.decode()
    shown = sorted((name for name in first.values() if name in html), key=html.index)
    assert "".join(name[0] for name in shown) == names


def test_when_nobody_fits_the_page_says_what_to_drop(three_people):
    page = Client().get("/people/?skill=Django&rate=1")
    assert "Nobody fits all of this" in text_of(page)
    assert "Without “Up to €1 an hour” it is 2 people" in text_of(page)
    assert 'href="/people/?skill=Django"' in page.content.decode()


def test_htmx_gets_the_results_alone_and_back_gets_the_page(three_people):
    part = Client().get("/people/?skill=Django", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert 'hx-swap-oob="true"' in part.content.decode()
    assert "HX-Request" in part["Vary"]
    back = Client().get(
        "/people/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )
    assert "<html" in back.content.decode()


def test_every_page_of_people_comes_once_and_in_order(monkeypatch):
    monkeypatch.setattr("accounts.selectors.PAGE", 2)
    for n in range(5):
        ProfileFactory(user__name=f"Person {n}")
    Profile.objects.update(updated_at=Profile.objects.first().updated_at)
    url, seen = "/people/", []
    while url:
        html = Client().get(url).content.decode()
        seen += re.findall(r"<bdi>(Person \d)</bdi>", html)
        further = re.search(r'href="([^"]+)" rel="next"', html)
        url = further and further.group(1).replace("&amp;", "&")
    assert seen == [f"Person {n}" for n in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("address", ["/people/", "/people/?q=front&available=1&skill=Django"])
def test_the_list_takes_the_same_few_queries_for_one_and_for_twenty(
    django_assert_max_num_queries, django_assert_num_queries, address
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ProfileFactory(skills={"Django": 3, "htmx": 2})
    Client().get(address)
    with CaptureQueriesContext(
        connection,
    ) as one:
        Client().get(address)
    for _n in range(19):
        ProfileFactory(skills={"Django": 3, "htmx": 2, "Python": 1})
    with django_assert_num_queries(len(one)):
        Client().get(address)
    assert len(one) <= 8


def test_a_profile_takes_few_queries_however_much_it_shows(django_assert_max_num_queries):
    profile = ProfileFactory(skills={"Django": 3, "htmx": 2, "Python": 1})
    for n in range(6):
        profiles.add_sample(profile, by=profile.party.person, title=f"{n}")
    with django_assert_max_num_queries(8):
        Client().get(f"/people/{profile.handle}/")


def test_skills_are_offered_while_typing_and_listed_without_script():
    part = Client().get("/skills/?new=djan", headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith('<option value="Django">')
    assert "Web development" in text_of(Client().get("/skills/"))
    assert "No such skill yet" in text_of(Client().get("/skills/?q=zzzz"))


# --- Company --------------------------------------------------------------------------------


def test_a_company_is_set_up_and_its_details_kept():
    user = UserFactory(side="hire")
    client = signed_in(user)
    assert "Billing details" in text_of(client.get("/company/"))
    client.post("/company/new/", {"name": "Museum of Tides", "country": "NL", "vat_id": ""})
    user.refresh_from_db()
    assert user.hires_for.name == "Museum of Tides"
    page = client.post("/company/", {"name": "Museum of Tides", "country": "NL", "vat_id": "123"})
    assert page.status_code == 422
    assert "A VAT id of Netherlands starts with NL" in text_of(page)


def test_a_member_without_the_right_sees_but_cannot_change():
    company, kai = CompanyFactory(name="Museum"), UserFactory(side="hire")
    memberships.add_member(company, by=company.memberships.get().user, user=kai, rights=["post"])
    people.hire_for(kai, party=company)
    client = signed_in(kai)
    assert "Who manages the company can change this" in text_of(client.get("/company/"))
    page = client.post("/company/", {"name": "Mine now", "country": "DE"})
    company.refresh_from_db()
    assert company.name == "Museum"
    assert page.status_code == 422
    assert "Invite a colleague" not in text_of(client.get("/company/members/"))


def test_rights_are_changed_and_the_last_manager_stays():
    company, kai = CompanyFactory(), UserFactory()
    founder = company.memberships.get().user
    memberships.add_member(company, by=founder, user=kai, rights=["post"])
    client = signed_in(founder)
    client.post(f"/company/members/{kai.ref}/", {"rights": ["pay", "hire"]})
    assert acts_for(kai, company, "pay")
    assert not acts_for(kai, company, "post")
    client.post(f"/company/members/{founder.ref}/remove/", follow=True)
    assert acts_for(founder, company, "manage")
    assert client.get(f"/company/members/{UserFactory().ref}/").status_code == 404


def test_a_stranger_does_not_hire_for_a_company():
    company = CompanyFactory()
    stranger = signed_in(UserFactory())
    assert stranger.post("/company/hire-for/", {"party": company.ref}).status_code == 404


# --- Settings -------------------------------------------------------------------------------


def test_settings_change_the_language_of_the_very_next_page():
    user = UserFactory()
    response = signed_in(user).post(
        "/settings/", {"name": "New Name", "language": "de", "time_zone": "Asia/Tokyo"}
    )
    assert response.status_code == 303
    user.refresh_from_db()
    assert (user.name, user.language, user.time_zone) == ("New Name", "de", "Asia/Tokyo")


def test_a_zone_nobody_lives_in_is_refused():
    page = signed_in(UserFactory()).post(
        "/settings/", {"name": "N", "language": "en", "time_zone": "Etc/GMT+5"}
    )
    assert page.status_code == 422


def test_switching_sides_is_one_click_and_back():
    user = UserFactory(side="work")
    client = signed_in(user)
    assert client.get("/switch-side/").status_code == 405
    for side in ("hire", "work"):
        client.post("/switch-side/")
        user.refresh_from_db()
        assert user.side == side


def test_mail_is_switched_off_by_group_but_never_for_money():
    user = UserFactory()
    signed_in(user).post("/settings/mail/", {"mail-messages": "on"})
    page = text_of(signed_in(user).get("/settings/mail/"))
    assert "always by mail" in page
    preferences = dict(user.notice_preferences.values_list("group", "by_mail"))
    assert preferences == {"work": False, "messages": True, "matches": False}


def test_unsubscribing_needs_one_post_no_sign_in_and_can_be_undone():
    user = UserFactory()
    strict = Client(enforce_csrf_checks=True)
    address = f"/unsubscribe/{notices.sign_off(user, 'work')}/"
    assert "Stop these mails?" in text_of(strict.get(address))
    assert not user.notice_preferences.exists(), "a mail program that looks ahead changes nothing"
    page = strict.post(address, {"List-Unsubscribe": "One-Click"})
    assert "Stopped" in text_of(page)
    assert not user.notice_preferences.get(group="work").by_mail
    strict.post(address, {"action": "undo"})
    assert user.notice_preferences.get(group="work").by_mail
    assert strict.post("/unsubscribe/forged/").status_code == 400


# --- Notifications --------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path, settings):
    folder = tmp_path / "accounts" / "notices"
    folder.mkdir(parents=True)
    (folder / "plain.txt").write_text("{{ what }}")
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    ]

    def tell(user, what="Kai sent <b>", key="k", url="/settings/"):
        notices.notify([user], "plain", key=key, url=url, group="work", facts={"what": what})

    return tell


def test_notices_are_listed_by_day_opened_and_read(told):
    user = UserFactory()
    client = signed_in(user)
    assert "Nothing yet" in text_of(client.get("/notifications/"))
    told(user)
    page = client.get("/notifications/")
    assert "Kai sent &lt;b&gt;" in page.content.decode()
    assert 'class="count"' in page.content.decode()
    ref = user.notices.get().ref
    assert client.get(f"/notifications/{ref}/").status_code == 405
    assert client.post(f"/notifications/{ref}/")["Location"] == "/settings/"
    assert user.unread_notices == 0


def test_everything_is_read_at_once(told):
    user = UserFactory()
    told(user, key="a")
    told(user, key="b")
    signed_in(user).post("/notifications/read/")
    assert user.unread_notices == 0


def test_notices_of_others_do_not_exist_for_me(told):
    user = UserFactory()
    told(user)
    ref = user.notices.get().ref
    assert signed_in(UserFactory()).post(f"/notifications/{ref}/").status_code == 404
    assert user.unread_notices == 1


def test_a_long_list_has_pages_and_a_steady_number_of_queries(told, django_assert_max_num_queries):
    user = UserFactory()
    for n in range(25):
        told(user, what=f"Number {n}.", key=f"{n}")
    client = signed_in(user)
    client.get("/notifications/")
    with django_assert_max_num_queries(8):
        page = client.get("/notifications/")
    assert "Number 24." in text_of(page)
    assert "Number 4." not in text_of(page)
    further = re.search(
        r'href="(\?before[^"]+|/notifications/\?before[^"]+)"', page.content.decode()
    )
    assert "Number 4." in text_of(client.get(further.group(1)))


@pytest.mark.parametrize(
    "address",
    ["/join/", "/sign-in/", "/sign-in/password/", "/password/forgotten/", "/people/", "/skills/"],
)
def test_public_pages_have_one_heading_and_one_primary_button_in_main(address):
    html = Client().get(address).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert main.count("<h1") == 1
    assert main.count("btn--primary") <= 2
    assert " style=" not in html
