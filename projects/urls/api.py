"""The API of work, under /api/v1/."""

from projects.api.market import urlpatterns as market
from projects.api.work import urlpatterns as work

urlpatterns = [*market, *work]
