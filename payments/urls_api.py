"""Addresses of the API of money, under /api/v1/."""

from django.urls import path

from payments.api import fundings, invoices, ledgers, payouts, quotes, spending

urlpatterns = [
    path("quote/", quotes.QuoteView.as_view(), name="quote"),
    path("fundings/", fundings.FundingsView.as_view(), name="fundings"),
    path("fundings/<str:ref>/", fundings.FundingView.as_view(), name="funding"),
    path("ledgers/", ledgers.LedgersView.as_view(), name="ledgers"),
    path("ledgers/<str:ref>/", ledgers.LedgerView.as_view(), name="ledger"),
    path("ledgers/<str:ref>/csv/", ledgers.LedgerCsvView.as_view(), name="ledger-csv"),
    path("ledgers/<str:ref>/statements/", ledgers.StatementsView.as_view(), name="statements"),
    path(
        "ledgers/<str:ref>/statements/<str:period>/",
        ledgers.StatementView.as_view(),
        name="statement",
    ),
    path("spending/", spending.SpendingView.as_view(), name="spending"),
    path("payouts/", payouts.PayoutsView.as_view(), name="payouts"),
    path("invoices/", invoices.InvoicesView.as_view(), name="invoices"),
    path("invoices/<str:ref>/", invoices.InvoiceView.as_view(), name="invoice"),
    path("invoices/<str:ref>/pdf/", invoices.InvoicePdfView.as_view(), name="invoice-pdf"),
]
