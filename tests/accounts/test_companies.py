"""Billing details and members of a company."""

import re

import pytest
from django.core import mail

from accounts.models import Membership
from accounts.selectors import acts_for, hiring_party
from accounts.services import memberships, parties
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed, TooMany
from tests.factories import CompanyFactory, UserFactory

pytestmark = pytest.mark.django_db
NOTHING = dict.fromkeys(("legal_name", "address", "country", "vat_id", "website", "about"), "")


def founder_of(company):
    return company.memberships.get().user


def test_details_are_kept_clean():
    company = CompanyFactory()
    parties.update_details(
        company,
        by=founder_of(company),
        **NOTHING
        | {"legal_name": " Tides  GmbH ", "country": "de", "vat_id": "de 123.456.789",
           "website": "https://tides.example", "address": "Quay 1\r\n\r\n\r\nHamburg"},
    )  # fmt: skip
    company.refresh_from_db()
    assert company.legal_name == "Tides GmbH"
    assert (company.country, company.vat_id) == ("DE", "DE123456789")
    assert company.address == "Quay 1\n\nHamburg"


@pytest.mark.parametrize(
    ("country", "vat_id", "words"),
    [
        ("DE", "123456789", "starts with DE"),
        ("DE", "DE12345678", "DE123456789"),
        ("GR", "GR123456789", "starts with EL"),
        ("AT", "AT12345678", "ATU12345678"),
        ("NL", "NL12345678901", "NL123456789B01"),
        ("US", "?", "4 to 20 letters"),
    ],
)
def test_a_vat_id_of_the_wrong_shape_is_refused_with_an_example(country, vat_id, words):
    company = CompanyFactory()
    with pytest.raises(InvalidInput, match=words) as refused:
        parties.update_details(
            company, by=founder_of(company), **NOTHING | {"country": country, "vat_id": vat_id}
        )
    assert refused.value.field == "vat_id"


@pytest.mark.parametrize(
    ("country", "vat_id"),
    [("AT", "ATU12345678"), ("IE", "IE1234567FA"), ("NL", "NL123456789B01"), ("GB", "XI123456789"),
     ("ES", "ESX1234567A"), ("CH", "CHE-123.456.789 MWST"), ("US", "12-3456789")],
)  # fmt: skip
def test_vat_ids_as_people_write_them_are_taken(country, vat_id):
    company = CompanyFactory()
    parties.update_details(
        company, by=founder_of(company), **NOTHING | {"country": country, "vat_id": vat_id}
    )
    company.refresh_from_db()
    assert company.country == country
    assert company.vat_id


def test_a_vat_id_needs_its_country_and_a_country_must_exist():
    company = CompanyFactory()
    with pytest.raises(InvalidInput) as refused:
        parties.update_details(company, by=founder_of(company), **NOTHING | {"vat_id": "DE1"})
    assert refused.value.field == "country"
    with pytest.raises(InvalidInput):
        parties.update_details(company, by=founder_of(company), **NOTHING | {"country": "ZZ"})


def test_only_who_manages_changes_details():
    with pytest.raises(NotAllowed):
        parties.update_details(CompanyFactory(), by=UserFactory(), **NOTHING)


# --- Members --------------------------------------------------------------------------------


def invite(company, *, by, email, rights=("post",)):
    memberships.invite(company, by=by, email=email, rights=rights)
    return re.search(r"/company/invitation/([^/]+)/", mail.outbox[-1].body).group(1)


def test_an_invited_person_acts_for_the_company_after_accepting(
    django_capture_on_commit_callbacks,
):
    company = CompanyFactory(name="Museum of Tides")
    kai = UserFactory()
    with django_capture_on_commit_callbacks(execute=True):
        memberships.invite(company, by=founder_of(company), email=kai.email, rights=["post", "pay"])
    assert "Museum of Tides" in mail.outbox[-1].subject
    assert not acts_for(kai, company, "post")
    token = re.search(r"/company/invitation/([^/]+)/", mail.outbox[-1].body).group(1)
    memberships.accept_invitation(kai, token=token)
    assert acts_for(kai, company, "post")
    assert acts_for(kai, company, "pay")
    assert not acts_for(kai, company, "manage")
    assert hiring_party(kai) == company


def test_inviting_says_nothing_about_who_has_an_account(django_capture_on_commit_callbacks):
    company = CompanyFactory()
    with django_capture_on_commit_callbacks(execute=True):
        memberships.invite(
            company, by=founder_of(company), email="nobody@example.test", rights=["hire"]
        )
    assert mail.outbox[-1].to == ["nobody@example.test"]


def token_for(company, email, by=None, rights=("post",)):
    from django.core import signing

    by = by or founder_of(company)
    said = {"party": company.ref, "by": by.ref, "email": email, "rights": list(rights)}
    return signing.dumps(said, salt=memberships.SALT, compress=True)


def test_an_invitation_is_for_one_address_only():
    company = CompanyFactory()
    with pytest.raises(NotAllowed):
        memberships.accept_invitation(UserFactory(), token=token_for(company, "x@example.test"))


def test_a_forged_invitation_is_refused():
    with pytest.raises(InvalidInput, match="expired"):
        memberships.accept_invitation(UserFactory(), token="made:up")


def test_an_invitation_dies_with_the_right_of_the_inviter():
    company, kai = CompanyFactory(), UserFactory()
    second = UserFactory()
    memberships.add_member(company, by=founder_of(company), user=second, rights=["manage"])
    token = token_for(company, kai.email, by=second)
    memberships.remove_member(
        company.memberships.get(user=second), by=company.memberships.first().user
    )
    with pytest.raises(NotAllowed):
        memberships.accept_invitation(kai, token=token)


def test_twenty_invitations_a_day_are_enough():
    company = CompanyFactory()
    for n in range(20):
        memberships.invite(
            company, by=founder_of(company), email=f"p{n}@example.test", rights=["post"]
        )
    with pytest.raises(TooMany):
        memberships.invite(
            company, by=founder_of(company), email="more@example.test", rights=["post"]
        )


def test_the_last_who_manages_can_neither_leave_nor_lose_the_right():
    company = CompanyFactory()
    founder = founder_of(company)
    membership = company.memberships.get()
    with pytest.raises(DomainError, match="Somebody must manage"):
        memberships.remove_member(membership, by=founder)
    with pytest.raises(DomainError, match="Somebody must manage"):
        memberships.set_rights(membership, by=founder, rights=["post"])


def test_a_member_may_leave_and_then_hires_for_themselves():
    company, kai = CompanyFactory(), UserFactory()
    membership = memberships.add_member(company, by=founder_of(company), user=kai, rights=["post"])
    kai.hires_for = company
    kai.save()
    memberships.remove_member(membership, by=kai)
    kai.refresh_from_db()
    assert hiring_party(kai) == kai.party


def test_a_member_without_the_right_removes_nobody():
    company, kai, lea = CompanyFactory(), UserFactory(), UserFactory()
    founder = founder_of(company)
    memberships.add_member(company, by=founder, user=kai, rights=["post", "hire", "pay"])
    other = memberships.add_member(company, by=founder, user=lea, rights=["post"])
    with pytest.raises(NotAllowed):
        memberships.remove_member(other, by=kai)
    assert Membership.objects.filter(pk=other.pk).exists()


def test_a_person_is_not_a_company():
    user = UserFactory()
    with pytest.raises(DomainError, match="Only companies"):
        memberships.add_member(user.party, by=user, user=UserFactory(), rights=["post"])
