"""Joining, signing in and account security: allauth's names at our addresses."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.urls import path, re_path

from accounts.freshness import fresh_sign_in
from accounts.views import confirming, signing_in

# allauth asks again only people with a password, an app or a key; ours also those without.
again = fresh_sign_in()
again_to_change = fresh_sign_in(posts_only=True)

urlpatterns = [
    path("join/", signing_in.join, name="account_signup"),
    path("sign-in/", signing_in.sign_in, name="account_login"),
    path("sign-in/again/", signing_in.sign_in, name="account_request_login_code"),
    path("sign-in/code/", signing_in.confirm_sign_in, name="account_confirm_login_code"),
    path("sign-in/sent/", signing_in.confirm_address, name="account_email_verification_sent"),
    path("sign-in/link/<str:token>/", signing_in.sign_in_link, name="account_login_link"),
    path("sign-in/password/", signing_in.sign_in_with_password, name="account_login_password"),
    path("sign-in/second-step/", mfa.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", keys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/closed/", account.account_inactive, name="account_inactive"),
    path("sign-out/", signing_in.sign_out, name="account_logout"),
    # Passwords
    path("password/forgotten/", signing_in.forgot_password, name="account_reset_password"),
    path(
        "password/forgotten/sent/",
        account.password_reset_done,
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/new/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("password/set/", again(account.password_set), name="account_set_password"),
    path("password/change/", account.password_change, name="account_change_password"),
    # Security
    path("settings/email/", again_to_change(account.email), name="account_email"),
    path("settings/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("settings/confirm/mail/", confirming.confirm_by_mail, name="account_confirm_by_mail"),
    path("settings/confirm/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("settings/confirm/key/", keys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("settings/security/", mfa.index, name="mfa_index"),
    path("settings/security/app/", again(totp.activate_totp), name="mfa_activate_totp"),
    path("settings/security/app/off/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("settings/security/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "settings/security/codes/new/",
        codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "settings/security/codes/download/",
        codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("settings/security/keys/", keys.list_webauthn, name="mfa_list_webauthn"),
    path("settings/security/keys/add/", again(keys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "settings/security/keys/<int:pk>/remove/", keys.remove_webauthn, name="mfa_remove_webauthn"
    ),
    path("settings/security/keys/<int:pk>/edit/", keys.edit_webauthn, name="mfa_edit_webauthn"),
]
