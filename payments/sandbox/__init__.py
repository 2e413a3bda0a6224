"""A Stripe that runs on this machine, with test money only.

One process on loopback answers the part of Stripe's API the product uses, shows the pages a
payer and a payee click through, and sends signed webhooks. Shapes come from the types in the
`stripe` package (see `contract`); behaviour comes from Stripe's documentation.

    contract/   requests and answers, checked against the `stripe` package
    state       everything the sandbox remembers, in one SQLite file
    checkout, charges, balance, accounts, transfers, refunds, events
                one noun each: what Stripe does with it
    api         which address leads to which noun; lists, cursors, expansion
    courier     takes webhooks to the product until it accepts them
    pages       what a person sees
    server      HTTP: keys, idempotency, faults
    switches    what tests may make go wrong
"""
