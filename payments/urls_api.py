"""Addresses of the API of money, under /api/v1/."""

from django.urls import path

from payments import api

urlpatterns = [
    path("quote/", api.QuoteView.as_view(), name="quote"),
    path("fundings/", api.FundingsView.as_view(), name="fundings"),
    path("fundings/<str:ref>/", api.FundingView.as_view(), name="funding"),
    path("ledgers/", api.LedgersView.as_view(), name="ledgers"),
    path("ledgers/<str:ref>/", api.LedgerView.as_view(), name="ledger"),
    path("ledgers/<str:ref>/csv/", api.LedgerCsvView.as_view(), name="ledger-csv"),
    path("ledgers/<str:ref>/statements/", api.StatementsView.as_view(), name="statements"),
    path(
        "ledgers/<str:ref>/statements/<str:period>/",
        api.StatementView.as_view(),
        name="statement",
    ),
    path("payouts/", api.PayoutsView.as_view(), name="payouts"),
    path("invoices/", api.InvoicesView.as_view(), name="invoices"),
    path("invoices/<str:ref>/", api.InvoiceView.as_view(), name="invoice"),
    path("invoices/<str:ref>/pdf/", api.InvoicePdfView.as_view(), name="invoice-pdf"),
]
