"""People at their browsers, for walks through the running product."""

import re
import time
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Page, expect


class Person:
    """Somebody at a browser of their own, who reads their mail."""

    def __init__(self, stack, context, name: str, email: str) -> None:
        self.stack, self.name, self.email = stack, name, email
        self.page: Page = context.new_page()
        self.mail = Path(stack.env["DATA_DIR"]) / "mail"

    # --- Moving around ----------------------------------------------------------------------

    def go(self, path: str) -> None:
        self.page.goto(path if "://" in path else self.stack.url + path)

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def follow(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def type(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=False).first.fill(text)

    def choose(self, name: str) -> None:
        self.page.get_by_role("radio", name=re.compile(f"^{re.escape(name)}")).first.check()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("main")).to_contain_text(text)

    def heading(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def keeps_looking_for(self, text: str, *, path: str, seconds: float = 240) -> None:
        """Reload a page until the workers have done what it waits for."""
        deadline = time.monotonic() + seconds
        while True:
            self.go(path)
            if text in self.page.locator("main").inner_text():
                return
            assert time.monotonic() < deadline, f"{text!r} never came to {path}"
            self.page.wait_for_timeout(700)

    # --- Joining ----------------------------------------------------------------------------

    def joins(self) -> None:
        """From the join form to the code in the mail."""
        self.type("Your name", self.name)
        self.type("E-mail", self.email)
        self.press("Send me the code")
        self.page.locator("input[name=code]").fill(self.code())
        self.press("Continue")

    def code(self) -> str:
        """The six digits of the newest mail to this person."""
        return re.search(r"\b(\d{6})\b", self.letter(r"\b\d{6}\b"))[1]

    def letter(self, pattern: str, seconds: float = 240) -> str:
        """The newest mail to this person whose text matches."""
        deadline = time.monotonic() + seconds
        while True:
            for path in sorted(self.mail.glob("*.log"), key=lambda p: -p.stat().st_mtime_ns):
                for text in self._letters(path):
                    if re.search(pattern, text):
                        return text
            assert time.monotonic() < deadline, f"no mail to {self.email} with {pattern}"
            time.sleep(0.2)

    def _letters(self, path: Path) -> list[str]:
        parts = path.read_bytes().split(b"-" * 79 + b"\n")
        letters = [
            message_from_bytes(part, policy=policy.default) for part in parts if part.strip()
        ]
        return [
            letter.get_body(("plain",)).get_content()
            for letter in reversed(letters)
            if self.email in str(letter["To"])
        ]
