"""People under /api/v1/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("me/", api.MeView.as_view(), name="me"),
    path("profile/", api.ProfileView.as_view(), name="profile"),
    path("people/", api.PeopleView.as_view(), name="people"),
    path("people/<slug:handle>/", api.PersonView.as_view(), name="person"),
    path("skills/", api.SkillsView.as_view(), name="skills"),
    path("skills/meant/", api.MeantSkillsView.as_view(), name="skills-meant"),
    path("notices/", api.NoticesView.as_view(), name="notices"),
    path("notices/read/", api.ReadNoticesView.as_view(), name="notices-read"),
]
