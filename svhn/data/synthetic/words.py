"""Words that are no house number: notices, names of people, houses and streets, made-up words.

Letters that digits look like (O, I, l, S, B, Z, …) are frequent in them: that is what they are for.
But each line has letters that no digit looks like, so that it can't be taken for a number. Letters
that stand alone or in pairs, as flats and entrances are named, are all of that kind.
"""

import numpy as np

LOOK_ALIKES = frozenset("OoQIlSsBbZzGgq")
"""Letters that can hardly be told from a digit by themselves."""

NOTICES = (
    "NO PARKING", "NO ENTRY", "PRIVATE", "PRIVATE PROPERTY", "KEEP CLEAR", "KEEP OUT", "FOR SALE",
    "TO LET", "OPEN", "CLOSED", "PUSH", "PULL", "ENTRANCE", "EXIT", "DELIVERIES", "RECEPTION",
    "OFFICE", "BEWARE OF THE DOG", "NO JUNK MAIL", "LETTERS", "POST", "MAIL", "PAPERS", "PRESS",
    "PLEASE RING", "PLEASE KNOCK", "SMILE", "WELCOME", "NO SMOKING", "NO COLD CALLERS", "CAUTION",
    "DANGER", "FIRE EXIT", "HYDRANT", "GAS METER", "WATER", "STAFF ONLY", "SHOP", "BAKERY", "HOTEL",
    "TAXI", "BUS STOP", "SCHOOL", "DENTIST", "DOCTOR", "RESERVED", "ALARM", "CAMERAS IN USE",
    "DUSTBINS", "DEFENSE DE STATIONNER", "SORTIE DE GARAGE", "PROPRIETE PRIVEE", "SONNEZ", "ENTREE",
    "CHIEN MECHANT", "PAS DE PUBLICITE", "BOULANGERIE", "EINFAHRT FREIHALTEN", "PRIVAT",
    "KEINE WERBUNG", "AUSFAHRT", "BRIEFE", "ZU VERMIETEN", "EINGANG", "PASSO CARRABILE", "USCITA",
    "PROHIBIDO APARCAR", "VADO PERMANENTE", "CORREOS", "CARTAS", "SE VENDE", "FARMACIA",
    "Bitte klingeln", "Please close the gate", "Back in a moment", "Vorsicht Stufe", "Attention",
)  # fmt: skip

SURNAMES = (
    "SMITH", "BROWN", "ROBINSON", "DOBSON", "HOBSON", "BISHOP", "COLLINS", "BOSWELL", "O'BRIEN",
    "SZABADOS", "GONZALEZ", "RODRIGUEZ", "LOPEZ", "SILVA", "DUBOIS", "ROUSSEAU", "LEBLANC",
    "ROSSINI", "BIANCHI", "RIZZARDI", "SCHULZ", "SEIBOLD", "ZIEGLER", "LEITZ",
    "BAUER", "WEISS", "KOWALSKI",
    "NOVAK", "HANSEN", "OLOFSSON", "JANSSEN", "DE BOER", "PATEL", "KHAN", "NGUYEN", "TAKAHASHI",
    "Hill", "Miller", "Allison", "Bellini", "Phillips", "Gallagher", "Quigley", "Iglesias",
)  # fmt: skip

_HOUSES = ("VILLA", "HOUSE", "COTTAGE", "LODGE", "HALL", "FARM", "Haus", "Casa", "Maison", "Manor")
_HOUSE_NAMES = (
    "ROSE", "BELLEVUE", "OLIVIA", "IRENE", "SOLEIL", "BIRCH", "ISOLDE", "LILLY", "HILLSIDE",
    "ZOE MARIE", "THE OAKS", "SUNSET", "BLISSFUL", "ELISABETH", "Mon Repos", "Belle Isle",
    "Orchard", "Willow",
)  # fmt: skip
_STREETS = ("STREET", "ROAD", "LANE", "AVENUE", "CLOSE", "HILL", "SQUARE", "PLACE", "WAY", "ROW")
_STREET_NAMES = (
    "HIGH", "OAK", "LONDON", "BOLD", "SCHOOL", "MILL", "GIBBS", "ISLINGTON", "GLOBE", "SILK",
    "Bishop", "Elizabeth", "Bolsover", "Queen", "Station", "Zion", "Ossian", "Hollis", "Quay",
)  # fmt: skip
_STREETS_ABROAD = (
    "RUE DE LA GLOIRE", "PLACE DU BOIS", "BOULEVARD ST ELOI", "IMPASSE DES LILAS", "VIA ROSSINI",
    "CALLE DEL SOL", "Bergstrasse", "Schulgasse", "Am Rosenhof", "Zollweg", "Lange Zeile",
    "PIAZZA GARIBALDI", "CHEMIN DU LOUP", "AVENUE DE L'ISLE", "Obere Gasse", "Goethestrasse",
)  # fmt: skip

_CLEAR_CAPITALS = "ACEFHJKMNPRTUVWXY"
_INITIALS_SHARE = 0.2

_VOWELS, _CONSONANTS = "AEIOUOIO", "BCDFGHJKLMNPRSTVWXZSBZGL"


def draw_words(random: np.random.Generator) -> tuple[str, ...]:
    """Returns the lines of a sign, at least one."""
    if random.random() < _INITIALS_SHARE:
        return (initials(random),)
    kind = random.random()
    if kind < 0.34:
        return _lines(random, _one_of(random, NOTICES))
    if kind < 0.5:
        return (_in_some_case(random, _one_of(random, SURNAMES)),)
    if kind < 0.6:
        house = [_one_of(random, _HOUSES), _one_of(random, _HOUSE_NAMES)]
        return _lines(random, _in_some_case(random, " ".join(random.permutation(house))))
    if kind < 0.72:
        street = f"{_one_of(random, _STREET_NAMES)} {_one_of(random, _STREETS)}"
        street = street if random.random() < 0.6 else _one_of(random, _STREETS_ABROAD)
        return _lines(random, _in_some_case(random, street))
    return tuple(
        _in_some_case(random, made_up_word(random)) for _ in range(random.choice([1, 1, 1, 2, 3]))
    )


def initials(random: np.random.Generator) -> str:
    """Returns 1 to 3 capital letters that no digit looks like: A, WC, HKT."""
    return "".join(_one_of(random, _CLEAR_CAPITALS) for _ in range(random.integers(1, 4)))


def made_up_word(random: np.random.Generator) -> str:
    """Returns 3 to 9 capital letters that can be spoken.

    Of look-alikes of digits no more than two follow each other.
    """
    while True:
        length = int(random.integers(3, 10))
        first = int(random.integers(2))
        letters = [
            _one_of(random, _VOWELS if (place + first) % 2 else _CONSONANTS)
            for place in range(length)
        ]
        word = "".join(letters)
        runs = "".join("#" if letter in LOOK_ALIKES else " " for letter in word)
        if is_clearly_text(word) and "###" not in runs:
            return word


def is_clearly_text(line: str) -> bool:
    """Returns whether a line has at least two letters that no digit looks like, in any case."""
    return all(
        sum(letter.isalpha() and letter not in LOOK_ALIKES for letter in form) >= 2
        for form in (line, line.title(), line.lower())
    )


def _lines(random: np.random.Generator, text: str) -> tuple[str, ...]:
    """Breaks a text into lines at some of its spaces; each is clearly text, if all of it is."""
    lines: list[str] = []
    for word in text.split():
        if lines and (random.random() < 0.5 or not is_clearly_text(lines[-1])):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    if len(lines) > 1 and not is_clearly_text(lines[-1]):
        lines[-2:] = [" ".join(lines[-2:])]
    return tuple(lines)


def _in_some_case(random: np.random.Generator, text: str) -> str:
    kind = random.random()
    return text.title() if kind < 0.3 else text.lower() if kind < 0.4 else text


def _one_of(random: np.random.Generator, choices) -> str:
    return str(choices[int(random.integers(len(choices)))])
