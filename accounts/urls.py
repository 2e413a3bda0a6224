"""Addresses of people: who they are, what they show, what we told them."""

from django.urls import path

from accounts.views import company, notices, people, profile, settings

app_name = "accounts"
urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/<slug:handle>/", people.person, name="person"),
    path("samples/<str:ref>/picture/", people.portfolio_image, name="portfolio-image"),
    path("skills/", people.skills, name="skill-index"),
    path("profile/", profile.profile, name="profile"),
    path("profile/skills/", profile.skill_list, name="skills"),
    path("profile/samples/", profile.sample_list, name="samples"),
    path("profile/samples/new/", profile.add_sample, name="add-sample"),
    path("profile/samples/<str:ref>/", profile.edit_sample, name="edit-sample"),
    path("profile/samples/<str:ref>/move/", profile.move_sample, name="move-sample"),
    path("profile/samples/<str:ref>/remove/", profile.remove_sample, name="remove-sample"),
    path("company/", company.company, name="company"),
    path("company/new/", company.new_company, name="new-company"),
    path("company/hire-for/", company.hire_for, name="hire-for"),
    path("company/members/", company.members, name="members"),
    path("company/members/<str:ref>/", company.member, name="member"),
    path("company/members/<str:ref>/remove/", company.remove_member, name="remove-member"),
    path("company/invitation/<str:token>/", company.accept_invitation, name="accept-invitation"),
    path("settings/", settings.settings, name="settings"),
    path("settings/mail/", settings.mail, name="mail"),
    path("switch-side/", settings.switch_side, name="switch-side"),
    path("unsubscribe/<str:token>/", settings.unsubscribe, name="unsubscribe"),
    path("notifications/", notices.notice_list, name="notices"),
    path("notifications/read/", notices.read_all, name="read-notices"),
    path("notifications/<str:ref>/", notices.open_notice, name="open-notice"),
]
