"""The model card: what ranks on this site, read off the weights that rank and nothing else."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from matching.engine.weights import VERSION, BadWeights
from matching.models import ModelAct
from matching.selectors import method, registry


def card() -> dict[str, Any]:
    """Every field as text, numbers and lists of them: the same for the page, JSON and the file.

    Where no weights may be used, `weights` is empty. Everybody may read it, so it names no staff
    and none of their reasons.
    """
    state = registry.state()
    model = registry.active()
    try:
        deployed = registry.deployed()
    except BadWeights:
        deployed = None
    parts = method.parts_of(deployed.weights) if deployed else []
    fitted = model.fitted if model else {}
    return {
        "name": _("Matcher of %(site)s") % {"site": settings.SITE_NAME},
        "version": deployed.version if deployed else "",
        "sha256": deployed.sha256 if deployed else "",
        "engine": VERSION,
        "weights_for_engine": model.engine if model else "",
        "mode": state.mode.value,
        "mode_told": str(state.mode.label),
        "origin": str(model.get_origin_display()) if model else "",
        "entered_at": model.created_at if model else None,
        "active_since": model.active_since if model else None,
        "owner": settings.OPERATOR_NAME or settings.SITE_NAME,
        "contact": settings.CONTACT_EMAIL,
        "purpose": _purpose(),
        "not_for": _not_for(),
        "inputs": _inputs(),
        "never_inputs": _never(),
        "weights": [
            {
                "name": part.name,
                "weight": part.weight,
                "share_percent": round(part.share, 2),
                "told": str(part.told),
            }
            for part in parts
        ],
        "fitted": fitted,
        "fitted_told": [{"name": name, "told": _told(value)} for name, value in fitted.items()],
        "figures": model.figures if model else {},
        "figures_told": _figures_told(),
        "exposure": _exposure(),
        "limits": _limits(),
        "oversight": _oversight(),
        "explanation": _explanation(),
        "groups": _groups(),
        "history": [_change(act) for act in registry.history_in_use()[:20]],
    }


def _purpose() -> list[str]:
    return [
        _("Orders people for a project, and open projects for a freelancer, with reasons."),
    ]


def _not_for() -> list[str]:
    return [
        _("Deciding about anybody. It refuses, hides, prices and removes nobody."),
        _("Judging people outside a project, comparing their worth, or setting their pay."),
        _("Use outside this site, or with features it was not made for."),
    ]


def _inputs() -> list[str]:
    return [
        _("Title, description, skills, language and day of a project."),
        _("Headline, profile text, skills and samples a person has entered."),
        _(
            "Work finished here: title, description and skills of the project, its day, and which "
            "works were for the same client."
        ),
    ]


def _never() -> list[str]:
    return [
        _("Name, photo, age, gender, nationality, place, school, messages, what anybody paid."),
        _(
            "Names, pronouns, places, schools, ages, addresses and set phrases about family, "
            "illness and breaks are taken out of texts before they are compared, by a list of "
            "words that is mainly English. What is said in another way can get through."
        ),
    ]


def _figures_told() -> str:
    return _(
        "nDCG@10 on labelled outcomes of public sources: who closed a work item, whose answer was "
        "accepted. Not measured on the people of this site."
    )


def _exposure() -> list[str]:
    places = ", ".join(map(str, method.KEPT_PLACES))
    return [
        _(
            "In the list of people, places %(places)s are kept for people with at most %(most)d "
            "past works who fit nearly as well."
        )
        % {"places": places, "most": method.NEW_UP_TO},
        _(
            "Whoever was shown less lately than their scores earned moves up a little, whoever "
            "was shown far more moves down; in every second list one place is drawn by lot."
        ),
        _("Nobody can pay for a place. Equals are drawn by lot."),
    ]


def _limits() -> list[str]:
    return [
        _("Meaning is compared in English only; other languages by their words."),
        _("Little can be said about very short texts, new skills and people without past work."),
        _("A friend with several companies could still lift somebody's record."),
        _("Past choices of people are in the figures, and people choose with their own bias."),
    ]


def _oversight() -> list[str]:
    return [
        _(
            "New weights are checked, measured on the benchmark and tried beside the active ones "
            "before anybody is shown them; one person proposes and another one confirms."
        ),
        _(
            "One person can go back to the weights before, or switch matching off, at once and "
            "without a restart. Each of these acts is kept with its reason."
        ),
        _("Whoever thinks they are treated unfairly can write to a person."),
    ]


def _explanation() -> str:
    return _(
        "A score is one sum. A reason is one of its summands with the facts behind it, so what is "
        "told is what was added."
    )


def _groups() -> str:
    return _(
        "We do not know the gender or origin of the people here and do not guess them, so there "
        "are no figures by group of real people."
    )


def _change(act: ModelAct) -> dict[str, Any]:
    return {"at": act.at, "version": act.model.version, "what": str(act.get_what_display())}


def _told(value: Any) -> str:
    """A value of a file of weights on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(each)}" for name, each in value.items())
    return ", ".join(map(_told, value)) if isinstance(value, list) else str(value)
