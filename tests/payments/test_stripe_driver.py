"""The driver that can be pointed at Stripe itself finds the sandbox as it must be."""

from bench import stripe_driver


def test_the_sandbox_passes_every_step_of_the_driver(stripe_sandbox):
    driver = stripe_driver.Driver(
        stripe_driver.pay_in_sandbox(stripe_sandbox),
        stripe_driver.account_in_sandbox(stripe_sandbox),
    )
    assert driver.drive() == []
