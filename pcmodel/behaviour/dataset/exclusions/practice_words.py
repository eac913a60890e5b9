"""Words for practice and exclusion in the languages in which tasks are run.

Words are compared without accents and case: `Übung` is `ubung`.
"""

import re
import unicodedata

from pcmodel.behaviour.dataset.naming import words
from pcmodel.behaviour.dataset.tables.cells import to_flag

ENGLISH = {"practice", "practise", "prac", "training", "tutorial", "warmup", "demo"}
OTHER = "|".join(
    (
        r"(?:vor)?(?:u|ue)bung|probe(?:durchgang|durchlauf|lauf|runde)",
        r"eingewohnung|anleitung|instruktion",  # German
        r"entrainement|familiarisation|pratique(?![a-z])",  # French
        r"practicas?(?![a-z])|entrenam|antrenament",  # Spanish, Catalan, Romanian
        r"oefen|proefronde",  # Dutch
        r"pratica(?![a-z])|allenamento|addestramento|esercitazion",  # Italian
        r"treino|treinamento",  # Portuguese
        r"ovning|traning|oving|øvelse|øving|træning|traening|trening",  # Nordic
        r"harjoit|cwicz|probn[aey]|trenink|zacvik|cvicn|gyakorl|al[iı]st[iı]rma",
        r"трениров|практик|εξασκηση|练习|練習|训练|연습|אימון|תרגול|تدريب|تمر[يی]ن",
    )
)
PRACTICE = re.compile(rf"(?:^|[\W_\d])(?:{OTHER})")
PREPARING = re.compile(
    r"prac(?!tical|titioner|tica)|training|tutorial|instruction|warm.?up", re.IGNORECASE
)
NO_PRACTICE = re.compile(
    r"(?:^|[\W_])(?:non?|not|post|after|without|ohne|nach|kein|sans|apres|sin|despues|zonder|na|senza"
    r"|dopo|sem|apos|utan|efter|bez|po)[\W_]*(?:(?:de|la|le|el|l|d)[\W_]+)*"
    rf"(?:prac|train|{OTHER})"
)
TRIAL_OR_TEST = {"prova", "prove"}  # Italian: practice beside other rows, else a trial
YES = {
    *("on", "x", "ja", "j", "oui", "si", "sim", "wahr", "vrai", "vero", "tak", "ano"),
    *("verdadero", "verdadeiro", "igaz", "igen", "sant", "evet"),
}
NO = {
    *("off", "nein", "non", "nee", "nej", "nei", "nao", "nie", "ne", "nem", "hayir"),
    *("falsch", "faux", "falso", "hamis", "fals", "falsk"),
}
EXCLUDED = {
    *("exclude", "excluded", "exclusion", "outlier", "isoutlier", "reject", "rejected"),
    *("bad", "discard", "discarded", "invalid", "omit", "omitted", "remove", "removed"),
    *("excl", "drop", "dropped", "artifact", "artefact"),
    *("ausgeschlossen", "ausschluss", "exclu", "exclus", "excluido", "escluso"),
    *("uitgesloten", "ungultig", "ausreißer", "ausreisser", "exclusao", "uitsluiting"),
    *("exclusionreason", "reasonexcluded", "ausschlussgrund", "ausgeschlossengrund"),
    *("esclusione", "esclusa", "exclue", "excluida", "excluidos"),
}
INCLUDED = {
    *("include", "included", "inclusion", "usable", "eingeschlossen", "einschluss"),
    *("consent", "consented", "behalten"),
    *("inclus", "incluido", "incluso", "geincludeerd", "einwilligung"),
}
# Words that include rows or people only: a partner or a reward may be good, or real, too.
INCLUDED_ROWS = {
    *("keep", "kept", "use"),
    *("valid", "ok", "good", "real", "main", "experimental", "gultig", "valide"),
    *("valido", "geldig", "passed"),
}
# Words for a run that tested the experiment itself.
TRIED = {"pilot", "demo", "debug", "preview", "dummy", "testrun", "testlauf"}
TRIED_LEVEL = re.compile(r"survey[\W_]*(?:preview|test)|preview|debug(?:ging)?|spam")


def folded(text: str) -> str:
    """The text without accents and case.

    >>> folded("Übung"), folded("Essai d'entraînement")
    ('ubung', "essai d'entrainement")
    """
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    bare = "".join(c for c in apart if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare)


def yes_or_no(cell: str) -> float | None:
    """1 for yes and 0 for no in any of the languages, NaN where missing, else None.

    >>> yes_or_no("Ja"), yes_or_no("FALSE"), yes_or_no("slept")
    (1.0, 0.0, None)
    """
    flag, word = to_flag(cell), folded(cell)
    if flag is not None or word not in YES | NO:
        return flag
    return float(word in YES)


def names_practice(column: str) -> bool:
    """Whether a column's name is about practice, in any of the languages.

    >>> names_practice("Übungsblock"), names_practice("practical_skills")
    (True, False)
    """
    parts = words(column)
    return bool(ENGLISH & set(parts)) or any(PRACTICE.match(folded(w)) for w in parts)


def is_practice(level: str) -> bool:
    """Whether a cell calls its row practice.

    >>> is_practice("bloque de práctica"), is_practice("sans entraînement")
    (True, False)
    """
    text = folded(level)
    if NO_PRACTICE.search(text):
        return False
    return bool(PREPARING.match(text) or PRACTICE.search(text))
