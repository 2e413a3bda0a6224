"""Addresses of money."""

from django.urls import path

from payments import webhooks
from payments.views import invoices, ledger, overviews, payouts, spending, stops, tax

app_name = "payments"
urlpatterns = [
    path("earnings/", overviews.earnings, name="earnings"),
    path("payments/", overviews.payments, name="payments"),
    path("payments/spending/", spending.spending, name="spending"),
    path("payments/spending/csv/", spending.spending_csv, name="spending-csv"),
    path("payments/publishing/", stops.stops, name="stops"),
    path("quote/", overviews.quote, name="quote"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/csv/", invoices.invoices_csv, name="invoices-csv"),
    path("invoices/<str:ref>/", invoices.invoice, name="invoice"),
    path("invoices/<str:ref>/pdf/", invoices.invoice_pdf, name="invoice-pdf"),
    path("tax/<str:ref>/", tax.tax, name="tax"),
    path("tax/<str:ref>/check/", tax.check_vat_id, name="check-vat-id"),
    path("ledger/", ledger.ledgers, name="ledgers"),
    path("ledger/<str:ref>/", ledger.ledger, name="ledger"),
    path("ledger/<str:ref>/csv/", ledger.ledger_csv, name="ledger-csv"),
    path("ledger/<str:ref>/json/", ledger.ledger_json, name="ledger-json"),
    path("statements/<str:ref>/", ledger.statements_of, name="statements"),
    path("statements/<str:ref>/<str:period>/", ledger.statement, name="statement"),
    path("statements/<str:ref>/<str:period>/pdf/", ledger.statement_pdf, name="statement-pdf"),
    path("statements/<str:ref>/<str:period>/csv/", ledger.statement_csv, name="statement-csv"),
    path("payouts/tax-details/", tax.seller_details, name="seller-details"),
    path("payouts/tax-details/appeal/", tax.appeal_pause, name="tax-appeal"),
    path("payouts/", payouts.payout_list, name="payouts"),
    path("payouts/not-me/<str:token>/", payouts.bank_report, name="bank-report"),
    path("payouts/now/", payouts.pay_out, name="pay-out"),
    path("payouts/at-once/", payouts.pay_out_at_once, name="pay-out-at-once"),
    path("payouts/look/", payouts.payout_look, name="payout-look"),
    path("payouts/schedule/", payouts.payout_schedule, name="payout-schedule"),
    path("payouts/setup/", payouts.payout_setup, name="payout-setup"),
    path("payouts/setup/refresh/", payouts.payout_refresh, name="payout-refresh"),
    path("payouts/setup/return/", payouts.payout_return, name="payout-return"),
    path("stripe/webhook/", webhooks.stripe_webhook, name="webhook"),
]
