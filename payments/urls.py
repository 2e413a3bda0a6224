"""Addresses of money."""

from django.urls import path

from payments import views, views_payouts, webhooks

app_name = "payments"
urlpatterns = [
    path("earnings/", views.earnings, name="earnings"),
    path("payments/", views.payments, name="payments"),
    path("quote/", views.quote, name="quote"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/<str:ref>/", views.invoice, name="invoice"),
    path("invoices/<str:ref>/pdf/", views.invoice_pdf, name="invoice-pdf"),
    path("ledger/", views.ledgers, name="ledgers"),
    path("ledger/<str:ref>/", views.ledger, name="ledger"),
    path("ledger/<str:ref>/csv/", views.ledger_csv, name="ledger-csv"),
    path("ledger/<str:ref>/json/", views.ledger_json, name="ledger-json"),
    path("payouts/", views_payouts.payout_list, name="payouts"),
    path("payouts/not-me/<str:token>/", views_payouts.bank_report, name="bank-report"),
    path("payouts/now/", views_payouts.pay_out, name="pay-out"),
    path("payouts/look/", views_payouts.payout_look, name="payout-look"),
    path("payouts/schedule/", views_payouts.payout_schedule, name="payout-schedule"),
    path("payouts/setup/", views_payouts.payout_setup, name="payout-setup"),
    path("payouts/setup/refresh/", views_payouts.payout_refresh, name="payout-refresh"),
    path("payouts/setup/return/", views_payouts.payout_return, name="payout-return"),
    path("stripe/webhook/", webhooks.stripe_webhook, name="webhook"),
]
