"""“Did you mean …?” in a form that takes names of skills."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.services.naming import Question, Reading, read_names

MOST_ANSWERS = 30


@dataclass(frozen=True)
class Asked:
    """A question as the page shows it: the name in doubt, and the field that answers it."""

    typed: str
    field: BoundField


class AsksWhatIsMeant(forms.Form):
    """A form that can ask back about names nobody knows.

    A question is a hidden `asked` with the typed name and a radio field `means-N` beside it.
    """

    asked_names: Sequence[str] = ()

    def answers(self) -> dict[str, str]:
        """What the person chose: typed name → name meant. Unanswered ones are left out."""
        data = self.data if isinstance(self.data, QueryDict) else QueryDict()
        asked = data.getlist("asked")[:MOST_ANSWERS]
        chosen = {typed: data.get(f"means-{n}", "").strip() for n, typed in enumerate(asked)}
        return {typed: name for typed, name in chosen.items() if name}

    def read(self, names: Iterable[str], *, kept: Iterable[str] = ()) -> Reading:
        """The names with the answers so far; what is still in doubt makes the form invalid.

        `kept` are names the person wanted as they are, the last time they were asked.
        """
        answers = {name: name for name in kept} | self.answers()
        reading = read_names(names, answers=answers)
        for n, question in enumerate(reading.questions):
            self._ask(f"means-{n}", question)
        self.asked_names = [question.typed for question in reading.questions]
        return reading

    def _ask(self, name: str, question: Question) -> None:
        words = {"typed": question.typed, "name": question.candidates[0].name}
        keep = _("Keep “%(typed)s”: it is something else") % words
        choices = [(skill.name, skill.name) for skill in question.candidates]
        self.fields[name] = forms.ChoiceField(
            label=_("What do you mean by “%(typed)s”?") % words,
            choices=[*choices, (question.typed, keep)],
            widget=forms.RadioSelect,
            required=False,
        )
        self.add_error(name, _("Did you mean %(name)s? Choose it, or keep “%(typed)s”") % words)

    @property
    def questions(self) -> list[Asked]:
        """What is asked now, for the page."""
        return [Asked(typed, self[f"means-{n}"]) for n, typed in enumerate(self.asked_names)]
