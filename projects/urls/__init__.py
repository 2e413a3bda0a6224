"""Addresses of work: the market, then what follows from a hire."""

from projects.urls.market import urlpatterns as market
from projects.urls.work import urlpatterns as work

app_name = "projects"
urlpatterns = [*market, *work]
