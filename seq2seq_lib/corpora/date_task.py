"""Dates: "4th of August 1999", written in a dozen ways, to "1999-08-04".

The task that made attention visible: each character of the answer comes from a known place in the
question, the places move with the form, and a calendar says what is right. Characters are tokens.
After the exercise on human readable dates in deeplearning.ai's "Sequence Models"; here the truth
is generated, never parsed, and the weekday is the right one.
"""

import datetime
import unicodedata
from collections.abc import Sequence

from seq2seq_lib.corpora.pair import Corpus, Pair, Tokens
from seq2seq_lib.corpora.sampling import check_sizes, cut_splits, distinct_numbers, make_rng, pick

# Not `calendar.month_name` or `strftime`: those speak the language of the user's locale.
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# A form is a text with fields. No form has day and month both as bare numbers with the year last:
# 04/08/1999 is two different days, depending on who reads it.
DATE_FORMS = {
    "day_month_year": "{day} {month} {year}",  # 4 august 1999
    "day_of_month_year": "{day}{th} of {month} {year}",  # 4th of august 1999
    "the_day_of_month_year": "the {day}{th} of {month}, {year}",  # the 4th of august, 1999
    "day_mon_year": "{day} {mon} {year}",  # 4 aug 1999
    "month_day_year": "{month} {day}, {year}",  # august 4, 1999
    "month_dayth_year": "{month} {day}{th}, {year}",  # august 4th, 1999
    "mon_day_year": "{mon} {day}, {year}",  # aug 4, 1999
    "weekday_day_month_year": "{weekday}, {day} {month} {year}",  # wednesday, 4 august 1999
    "weekday_month_day_year": "{weekday}, {month} {day}, {year}",  # wednesday, august 4, 1999
    "year_month_day": "{year} {month} {day}",  # 1999 august 4
    "year_slash": "{year}/{mm}/{dd}",  # 1999/08/04
    "year_dot": "{year}.{m}.{d}",  # 1999.8.4
}

# The characters of the month in YYYY-MM-DD, and the fields that spell it.
_MONTH_PLACES = (5, 6)
_WORD_FIELDS = ("month", "mon")


def normalise_date_text(text: str) -> Tokens:
    """A date as a person typed it, to the characters that a model of ``dates`` knows.

    Unicode compatibility form (NFKC), lower case, runs of white space to one space, none at the
    ends. It does not parse: what the model makes of a form it never saw is the model's answer.

    >>> "".join(normalise_date_text("  4th of  August 1999 "))
    '4th of august 1999'

    Raises:
        ValueError: a text without a single visible character.
    """
    tokens = tuple(" ".join(unicodedata.normalize("NFKC", text).lower().split()))
    if not any(token.isprintable() and token != " " for token in tokens):
        raise ValueError(f"a date needs at least one visible character, but got {text!r}")
    return tokens


def date_pair(date: datetime.date, form: str) -> Pair:
    """One date in one of the ``DATE_FORMS``, with its ISO 8601 form and the gold alignment.

    Args:
        date: year 1000 to 9999, so that four digits say it.

    Returns:
        source characters (lower case), target characters "YYYY-MM-DD" (always 10), and links from
        each digit of year, day and numeric month to the same digit of the answer, and from every
        letter of the month's name to both digits of the month. Not linked, because nothing in the
        source is their origin: both hyphens, a leading zero that the source leaves out, the
        weekday, the "th", punctuation.
    """
    if form not in DATE_FORMS:
        raise ValueError(f"Unknown form: {form!r}. Valid: {', '.join(map(repr, DATE_FORMS))}")
    if not 1000 <= date.year <= 9999:
        raise ValueError(f"year must be 1000 to 9999 (four digits), but got {date.year}")
    written = _fields(date)
    source, links = "", []
    for literal, field in _parts(DATE_FORMS[form]):
        source += literal
        for offset, target in _places(field, written):
            links.append((len(source) + offset, target))
        source += written[field] if field else ""
    return Pair(tuple(source), tuple(date.isoformat()), tuple(sorted(links)))


def dates(
    num_train: int = 8000,
    num_valid: int = 1000,
    num_test: int = 1000,
    *,
    start_year: int = 1900,
    end_year: int = 2099,
    forms: Sequence[str] = tuple(DATE_FORMS),
    seed: int = 0,
) -> Corpus:
    """English dates in many written forms to ISO 8601, character by character.

    Every calendar date from 1 January of ``start_year`` to 31 December of ``end_year`` (both count)
    is drawn at most once, each in one of the ``forms``, picked at random. So the splits are
    disjoint **by calendar date**, and with it by source: a date of the test set was never seen in
    training in any form. Sources are 8 to 29 characters in lower case, targets always 10; see
    ``date_pair`` for the alignment. entropy_floor is 0.0. The same arguments give the same corpus
    everywhere, and a larger ``num_train`` leaves valid and test unchanged.

    Raises:
        ValueError: negative sizes, an unknown form or none, years outside 1000 to 9999 or in the
            wrong order, or more examples than there are dates (73,049 with the default years).
    """
    if not 1000 <= start_year <= end_year <= 9999:
        raise ValueError(
            f"years must satisfy 1000 ≤ start_year ≤ end_year ≤ 9999, but got "
            f"start_year={start_year}, end_year={end_year}"
        )
    unknown = [form for form in forms if form not in DATE_FORMS]
    if unknown or not forms or isinstance(forms, str):
        raise ValueError(
            f"forms must be one or more of {', '.join(map(repr, DATE_FORMS))}, but got {forms!r}"
        )
    first = datetime.date(start_year, 1, 1).toordinal()
    days = datetime.date(end_year, 12, 31).toordinal() - first + 1
    check_sizes(num_train, num_valid, num_test, days, f"dates from {start_year} to {end_year}")
    rng = make_rng(seed)
    offsets = distinct_numbers(rng, days)

    def draw() -> Pair:
        return date_pair(datetime.date.fromordinal(first + next(offsets)), pick(rng, forms))

    splits = cut_splits(draw, num_train, num_valid, num_test)
    return Corpus("dates", **splits, entropy_floor=0.0)


def _fields(date: datetime.date) -> dict[str, str]:
    month = MONTHS[date.month - 1]
    return {
        "year": str(date.year),
        "month": month,
        "mon": month[:3],
        "mm": f"{date.month:02d}",
        "m": str(date.month),
        "dd": f"{date.day:02d}",
        "d": str(date.day),
        "day": str(date.day),
        "th": _ordinal_suffix(date.day),
        "weekday": WEEKDAYS[date.weekday()],
    }


def _ordinal_suffix(day: int) -> str:
    if day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _parts(form: str) -> list[tuple[str, str]]:
    """'{day} {month}' -> [('', 'day'), (' ', 'month'), ('', '')]."""
    parts = []
    for piece in form.split("{")[1:]:
        field, _, after = piece.partition("}")
        parts.append((field, after))
    literals = [form.split("{")[0], *(after for _, after in parts)]
    return list(zip(literals, [*(field for field, _ in parts), ""], strict=True))


def _places(field: str, written: dict[str, str]) -> list[tuple[int, int]]:
    """Links of a field: (character of the field, character of YYYY-MM-DD)."""
    text = written.get(field, "")
    if field == "year":
        return [(k, k) for k in range(4)]
    if field in _WORD_FIELDS:
        return [(k, place) for k in range(len(text)) for place in _MONTH_PLACES]
    if field in ("mm", "m"):
        return [(k, 7 - len(text) + k) for k in range(len(text))]
    if field in ("dd", "d", "day"):
        return [(k, 10 - len(text) + k) for k in range(len(text))]
    return []
