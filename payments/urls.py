"""Addresses of money."""

from django.urls import path

from payments import views, webhooks

app_name = "payments"
urlpatterns = [
    path("earnings/", views.earnings, name="earnings"),
    path("payments/", views.payments, name="payments"),
    path("quote/", views.quote, name="quote"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/csv/", views.invoices_csv, name="invoices-csv"),
    path("invoices/<str:ref>/", views.invoice, name="invoice"),
    path("invoices/<str:ref>/pdf/", views.invoice_pdf, name="invoice-pdf"),
    path("tax/<str:ref>/", views.tax, name="tax"),
    path("tax/<str:ref>/check/", views.check_vat_id, name="check-vat-id"),
    path("ledger/", views.ledgers, name="ledgers"),
    path("ledger/<str:ref>/", views.ledger, name="ledger"),
    path("ledger/<str:ref>/csv/", views.ledger_csv, name="ledger-csv"),
    path("ledger/<str:ref>/json/", views.ledger_json, name="ledger-json"),
    path("statements/<str:ref>/", views.statements_of, name="statements"),
    path("statements/<str:ref>/<str:period>/", views.statement, name="statement"),
    path("statements/<str:ref>/<str:period>/pdf/", views.statement_pdf, name="statement-pdf"),
    path("statements/<str:ref>/<str:period>/csv/", views.statement_csv, name="statement-csv"),
    path("payouts/setup/", views.payout_setup, name="payout-setup"),
    path("payouts/setup/refresh/", views.payout_refresh, name="payout-refresh"),
    path("payouts/setup/return/", views.payout_return, name="payout-return"),
    path("payouts/tax-details/", views.seller_details, name="seller-details"),
    path("stripe/webhook/", webhooks.stripe_webhook, name="webhook"),
]
