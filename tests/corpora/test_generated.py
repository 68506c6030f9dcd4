"""The generated corpora keep their promises: the truth is checked by other means than theirs."""

import calendar
import dataclasses
import datetime
import hashlib
import itertools
import math
import random
import re
from collections import Counter

import pytest

from seq2seq_lib import corpora
from seq2seq_lib.corpora import Corpus, Pair
from seq2seq_lib.corpora import sampling as draws

GENERATORS = {
    "reverse": corpora.reverse,
    "dates": corpora.dates,
    "numbers": corpora.numbers,
    "letters": corpora.letters,
    "phrases": corpora.phrases,
}
ALL = pytest.mark.parametrize("name", GENERATORS)

# The digest of 30 pairs of each generator with seed 7. A learner's numbers, the stored outputs of
# the chapters and the shipped models rest on these draws: a change here changes all of them.
GOLDEN = {
    "reverse": "35399b4e7f0e932b",
    "dates": "77208cf276025f7f",
    "numbers": "d1f94a47e7084e0f",
    "letters": "4174fec9e926726b",
    "phrases": "e6be4f97fa9e1ee4",
}


def small(name: str, **options) -> Corpus:
    return GENERATORS[name](**{"num_train": 300, "num_valid": 40, "num_test": 50, **options})


def digest(corpus: Corpus) -> str:
    pairs = [
        (p.source, p.target, p.alignment)
        for s in ("train", "valid", "test")
        for p in corpus.split(s)
    ]
    return hashlib.sha256(repr(pairs).encode("utf-8")).hexdigest()[:16]


def everything(corpus: Corpus) -> list[Pair]:
    return [*corpus.train, *corpus.valid, *corpus.test]


# Every generator


@ALL
def test_two_calls_give_the_same_corpus(name):
    assert small(name) == small(name)
    assert small(name, seed=1).test != small(name, seed=2).test


@ALL
def test_the_draws_are_those_that_everything_was_built_on(name):
    assert digest(GENERATORS[name](20, 5, 5, seed=7)) == GOLDEN[name]


@ALL
def test_the_global_random_state_is_neither_read_nor_moved(name):
    random.seed(3)
    first, state = small(name), random.getstate()
    random.seed(4)
    assert small(name) == first
    random.seed(3)
    assert random.getstate() == state


@ALL
def test_no_source_occurs_twice(name):
    corpus = small(name)
    sources = [pair.source for pair in everything(corpus)]
    assert len(set(sources)) == len(sources) == 390
    for one, other in itertools.permutations(("train", "valid", "test"), 2):
        assert corpus.shared_sources(one, other) == ()


@ALL
def test_more_training_data_leaves_valid_and_test_unchanged(name):
    less, more = small(name, num_train=10), small(name, num_train=500)
    assert (less.valid, less.test) == (more.valid, more.test)
    assert more.train[:10] == less.train


@ALL
def test_sizes_are_as_asked_and_may_be_zero(name):
    corpus = GENERATORS[name](0, 3, 1)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (0, 3, 1)
    assert everything(GENERATORS[name](0, 0, 0)) == []


@ALL
@pytest.mark.parametrize("size", ["num_train", "num_valid", "num_test"])
def test_negative_sizes_are_refused(name, size):
    with pytest.raises(ValueError, match=rf"{size} must be ≥ 0, but it is -1"):
        small(name, **{size: -1})
    with pytest.raises(TypeError, match=rf"{size} must be an integer, but it is 2.5"):
        small(name, **{size: 2.5})


@pytest.mark.parametrize(
    "name, options, available",
    [
        ("reverse", {"alphabet": "ab", "min_length": 1, "max_length": 3}, 14),
        ("dates", {"start_year": 2000, "end_year": 2000}, 366),
        ("numbers", {"limit": 21}, 21),
        ("letters", {"min_length": 1, "max_length": 2}, 30),
        ("phrases", {"kinds": ["predicate"]}, None),
    ],
)
def test_all_there_is_can_be_had_and_not_one_more(name, options, available):
    available = available or corpora.phrases_space_size(options["kinds"])
    corpus = GENERATORS[name](available - 9, 4, 5, **options)
    assert len({pair.source for pair in everything(corpus)}) == available
    with pytest.raises(ValueError, match=f"= {available + 1}, but there are only {available} "):
        GENERATORS[name](available - 8, 4, 5, **options)


@ALL
@pytest.mark.parametrize("seed", [None, 1.5, "1", True])
def test_a_seed_is_an_int(name, seed):
    with pytest.raises(TypeError, match="seed must be an integer"):
        small(name, seed=seed)


@ALL
def test_alignments_point_inside_and_are_sorted(name):
    for pair in everything(small(name)):
        assert list(pair.alignment) == sorted(set(pair.alignment))
        assert all(i < len(pair.source) and j < len(pair.target) for i, j in pair.alignment)


@pytest.mark.parametrize("name", ["reverse", "dates", "numbers", "phrases"])
def test_a_function_of_the_source_has_no_entropy(name):
    assert small(name).entropy_floor == 0.0


# Pair and Corpus


def test_a_pair_refuses_what_is_not_tokens():
    with pytest.raises(TypeError, match="must be a tuple of strings"):
        Pair("abc", ("c",))
    with pytest.raises(TypeError, match="must be a tuple of strings"):
        Pair(("a",), ["c"])
    with pytest.raises(ValueError, match="empty token"):
        Pair(("a", ""), ("c",))
    for link in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        with pytest.raises(ValueError, match=rf"link \({link[0]}, {link[1]}\) points outside"):
            Pair(("a",), ("c",), ((0, 0), link))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Pair(("a",), ("c",)).source = ("b",)


def test_a_corpus_lists_references_and_leaks():
    def pair(source, target):
        return Pair(tuple(source), tuple(target))

    corpus = Corpus(
        "toy",
        (pair("a", "x"), pair("b", "y")),
        (),
        (pair("b", "z"), pair("c", "x"), pair("b", "y"), pair("b", "z")),
    )
    assert corpus.references() == {("b",): [("z",), ("y",)], ("c",): [("x",)]}
    assert corpus.shared_sources("train", "test") == (("b",),)
    assert corpus.shared_sources("train", "valid") == ()
    assert repr(corpus) == "Corpus('toy', train=2, valid=0, test=4, entropy_floor=None)"
    with pytest.raises(ValueError, match="Unknown split: 'dev'. Valid: 'train', 'valid', 'test'"):
        corpus.split("dev")


# Draws


def test_distinct_numbers_is_a_permutation_and_every_one_is_as_likely():
    for n in range(60):
        assert sorted(draws.distinct_numbers(random.Random(n), n)) == list(range(n))
    rng = random.Random(0)
    counts = Counter(tuple(draws.distinct_numbers(rng, 4)) for _ in range(24_000))
    assert len(counts) == 24
    # 1,000 expected each, standard deviation 31: five of them.
    assert all(abs(count - 1000) < 155 for count in counts.values())


@pytest.mark.parametrize("n", [3, 2**32, 3 * 2**32, 2**53 + 1, 26**40])
def test_below_is_uniform_for_numbers_of_any_size(n):
    rng = random.Random(1)
    values = [draws.below(rng, n) for _ in range(9000)]
    assert all(0 <= value < n for value in values)
    thirds = Counter(3 * value // n for value in values)
    # 3,000 expected each, standard deviation 45: five of them.
    assert all(abs(thirds[k] - 3000) < 225 for k in range(3))
    if n > 9:
        assert 4000 < sum(value % 2 for value in values) < 5000


# Reverse


def test_reverse_reverses_and_its_alignment_says_so():
    corpus = corpora.reverse(100, 10, 10, alphabet=corpora.DIGITS, min_length=2, max_length=6)
    for pair in everything(corpus):
        assert pair.target == tuple(reversed(pair.source))
        assert 2 <= len(pair.source) <= 6 and set(pair.source) <= set("0123456789")
        assert len(pair.alignment) == len(pair.source)
        assert all(pair.source[i] == pair.target[j] for i, j in pair.alignment)
        assert {i + j for i, j in pair.alignment} == {len(pair.source) - 1}


def test_every_length_is_as_likely_while_it_lasts():
    corpus = corpora.reverse(4000, 0, 0, min_length=2, max_length=9)
    counts = Counter(len(pair.source) for pair in corpus.train)
    # 500 expected of each of 8 lengths (26**2 = 676 last long enough), standard deviation 21.
    assert set(counts) == set(range(2, 10)) and all(abs(c - 500) < 105 for c in counts.values())


def test_an_alphabet_can_be_words():
    pair = corpora.reverse(1, 0, 0, alphabet=["left", "right"], min_length=4).train[0]
    assert set(pair.source) <= {"left", "right"}


@pytest.mark.parametrize("generator", [corpora.reverse, corpora.letters])
@pytest.mark.parametrize("lengths", [(0, 4), (5, 4), (-1, 2)])
def test_impossible_lengths_are_refused(generator, lengths):
    with pytest.raises(
        ValueError, match=r"(min_length must be ≥ 1|max_length must be ≥ 5), but it is"
    ):
        generator(1, 1, 1, min_length=lengths[0], max_length=lengths[1])
    with pytest.raises(TypeError, match="max_length must be an integer"):
        generator(1, 1, 1, min_length=1, max_length=2.0)


@pytest.mark.parametrize("alphabet", ["", "abca", ["a", ""]])
def test_bad_alphabets_are_refused(alphabet):
    with pytest.raises(ValueError, match="distinct, non-empty symbols"):
        corpora.reverse(1, 1, 1, alphabet=alphabet)


# Dates

MONTH_OF = {name.lower(): k for k, name in enumerate(calendar.month_name) if name}
MONTH_OF |= {name.lower(): k for k, name in enumerate(calendar.month_abbr) if name}


def read_date(text: str) -> tuple[datetime.date, str | None]:
    """A reader of its own: year is the number with four digits, a month may be a word, the day is
    what remains. Numbers alone are year, month, day."""
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    words = re.findall(r"[a-z]+", text)
    weekday = next((w for w in words if w.endswith("day")), None)
    months = [MONTH_OF[w] for w in words if w in MONTH_OF]
    year = next(n for n in numbers if n > 999)
    if months:
        (day,) = [n for n in numbers if n != year]
        return datetime.date(year, months[0], day), weekday
    assert numbers[0] == year and len(numbers) == 3
    return datetime.date(*numbers), weekday


def test_dates_are_true_and_weekdays_right():
    corpus = corpora.dates(3000, 300, 300)
    for pair in everything(corpus):
        date, weekday = read_date("".join(pair.source))
        assert "".join(pair.target) == date.isoformat()
        if weekday:
            assert weekday == calendar.day_name[calendar.weekday(*date.timetuple()[:3])].lower()


def test_dates_of_one_split_are_in_no_other_in_any_form():
    corpus = corpora.dates(3000, 300, 300, start_year=1995, end_year=2004)
    targets = [pair.target for pair in everything(corpus)]
    assert len(set(targets)) == 3600


@pytest.mark.parametrize("year", [1900, 1999, 2000, 2004])
def test_a_year_has_the_days_of_the_calendar(year):
    days = 366 if calendar.isleap(year) else 365
    corpus = corpora.dates(days, 0, 0, start_year=year, end_year=year)
    expected = {
        f"{year}-{month:02d}-{day:02d}"
        for month in range(1, 13)
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
    }
    assert {"".join(pair.target) for pair in corpus.train} == expected


def test_date_alignment_links_equal_digits_and_month_names_only():
    for form in corpora.DATE_FORMS:
        for day in range(0, 400, 3):
            date = datetime.date(1999, 1, 1) + datetime.timedelta(day)
            pair = corpora.date_pair(date, form)
            source, target = "".join(pair.source), "".join(pair.target)
            linked: dict[int, str] = {}
            for i, j in pair.alignment:
                linked[j] = linked.get(j, "") + source[i]
            assert all(linked[j] == target[j] for j in range(4))
            assert 4 not in linked and 7 not in linked
            for places, value in (((5, 6), date.month), ((8, 9), date.day)):
                if linked[places[1]].isalpha():
                    assert MONTH_OF[linked[places[1]]] == value
                    assert linked[places[0]] == linked[places[1]]
                else:
                    assert linked[places[1]] == target[places[1]]
                    # A leading zero is linked only where the source writes it.
                    assert linked.get(places[0], "0") == target[places[0]]
                    assert (places[0] in linked) == (f"{value:02d}" in source)


def test_date_forms_as_people_write_them():
    date = datetime.date(1999, 8, 4)
    written = {form: "".join(corpora.date_pair(date, form).source) for form in corpora.DATE_FORMS}
    assert list(written.values()) == [
        "4 august 1999",
        "4th of august 1999",
        "the 4th of august, 1999",
        "4 aug 1999",
        "august 4, 1999",
        "august 4th, 1999",
        "aug 4, 1999",
        "wednesday, 4 august 1999",
        "wednesday, august 4, 1999",
        "1999 august 4",
        "1999/08/04",
        "1999.8.4",
    ]
    corpus = corpora.dates(2000, 0, 0)
    lengths = [len(pair.source) for pair in corpus.train]
    assert 8 <= min(lengths) and max(lengths) <= 29
    assert len(set(map("".join, (p.source for p in corpus.train)))) == 2000


def test_ordinals_end_as_they_are_spoken():
    said = {
        day: "".join(corpora.date_pair(datetime.date(2001, 1, day), "day_of_month_year").source)
        for day in range(1, 32)
    }
    endings = {day: re.match(r"\d+(..) of", text)[1] for day, text in said.items()}
    assert {day for day, end in endings.items() if end == "st"} == {1, 21, 31}
    assert {day for day, end in endings.items() if end == "nd"} == {2, 22}
    assert {day for day, end in endings.items() if end == "rd"} == {3, 23}
    assert {day for day, end in endings.items() if end == "th"} == set(range(4, 21)) | set(
        range(24, 31)
    )


def test_forms_can_be_chosen():
    corpus = corpora.dates(50, 0, 0, forms=["year_slash"])
    assert all(re.fullmatch(r"\d{4}/\d\d/\d\d", "".join(p.source)) for p in corpus.train)
    for forms in ([], ["roman"], "year_slash"):
        with pytest.raises(ValueError, match="forms must be one or more of"):
            corpora.dates(1, 1, 1, forms=forms)
    with pytest.raises(ValueError, match="Unknown form: 'roman'"):
        corpora.date_pair(datetime.date(2000, 1, 1), "roman")


@pytest.mark.parametrize("years", [(2001, 2000), (999, 2000), (2000, 10_000)])
def test_impossible_years_are_refused(years):
    with pytest.raises(ValueError, match="1000 ≤ start_year ≤ end_year ≤ 9999"):
        corpora.dates(1, 1, 1, start_year=years[0], end_year=years[1])
    with pytest.raises(ValueError, match="year must be 1000 to 9999"):
        corpora.date_pair(datetime.date(999, 1, 1), "year_slash")


def test_a_typed_date_becomes_known_characters():
    typed = "  4TH of\tAugust\u00a0１９９９\n"
    date = datetime.date(1999, 8, 4)
    expected = corpora.date_pair(date, "day_of_month_year").source
    assert corpora.normalise_date_text(typed) == expected
    for pair in corpora.dates(200, 0, 0).train:
        assert corpora.normalise_date_text("".join(pair.source)) == pair.source
    for empty in ("", " \t ", "\u200b"):  # the last one is a space without width
        with pytest.raises(ValueError, match="at least one visible character"):
            corpora.normalise_date_text(empty)


# Numbers

VALUE = {word: k for k, word in enumerate("zero one two three four five six seven".split())}
VALUE |= {"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13}
VALUE |= {"fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18}
VALUE |= {"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60}
VALUE |= {"seventy": 70, "eighty": 80, "ninety": 90}


def read_number(words: tuple[str, ...]) -> int:
    total = current = 0
    for word in words:
        if word == "hundred":
            current *= 100
        elif word == "thousand":
            total, current = total + 1000 * current, 0
        elif word not in ("and", "-"):
            current += VALUE[word]
    return total + current


def test_numbers_read_back():
    corpus = corpora.numbers()
    values = []
    for pair in everything(corpus):
        values.append(int("".join(pair.target)))
        assert read_number(pair.source) == values[-1]
        assert pair.target == tuple(str(values[-1]))
    assert sorted(values) == list(range(10_000))
    assert max(len(pair.source) for pair in everything(corpus)) == 8


@pytest.mark.parametrize(
    "number, use_and, hyphens, words",
    [
        (0, True, True, "zero"),
        (12, True, True, "twelve"),
        (20, True, True, "twenty"),
        (21, True, True, "twenty - one"),
        (21, True, False, "twenty one"),
        (100, True, True, "one hundred"),
        (105, True, True, "one hundred and five"),
        (105, False, True, "one hundred five"),
        (7012, True, True, "seven thousand and twelve"),
        (7012, False, True, "seven thousand twelve"),
        (7100, True, True, "seven thousand one hundred"),
        (7112, True, True, "seven thousand one hundred and twelve"),
        (9000, True, True, "nine thousand"),
        (234_045, True, True, "two hundred and thirty - four thousand and forty - five"),
        (999_999, False, False, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ],
)
def test_numbers_are_written_as_english_writes_them(number, use_and, hyphens, words):
    assert corpora.number_pair(number, use_and, hyphens).source == tuple(words.split())


def test_number_alignment_links_each_word_to_the_digits_it_says():
    for number in [*range(0, 10_000, 7), 10_010, 100_015, 311_020, 999_999]:
        for use_and, hyphens in itertools.product((True, False), repeat=2):
            pair = corpora.number_pair(number, use_and, hyphens)
            for i, word in enumerate(pair.source):
                digits = "".join(pair.target[j] for k, j in pair.alignment if k == i)
                if word in VALUE and VALUE[word] < 20:
                    assert digits == str(VALUE[word])
                elif word in VALUE:
                    assert digits == str(VALUE[word] // 10)
                else:
                    assert digits == ""
            said = {j for _, j in pair.alignment}
            assert all(d == "0" for j, d in enumerate(pair.target) if j not in said)


def test_all_four_ways_of_writing_occur():
    sources = [pair.source for pair in corpora.numbers(2000, 0, 0).train]
    for word in ("and", "-"):
        share = sum(word in source for source in sources) / len(sources)
        assert 0.3 < share < 0.6


@pytest.mark.parametrize("limit", [0, -5, 1_000_001])
def test_impossible_limits_are_refused(limit):
    with pytest.raises(ValueError, match="limit must be in 1 .. 1000000"):
        corpora.numbers(0, 0, 0, limit=limit)
    with pytest.raises(TypeError, match="limit must be an integer"):
        corpora.numbers(0, 0, 0, limit=10.0)
    with pytest.raises(ValueError, match="number must be in 0 .. 999999"):
        corpora.number_pair(-1)
    with pytest.raises(TypeError, match="number must be an integer"):
        corpora.number_pair("7")


# Letters


def all_derivations(source, target) -> float:
    """p(target | source) by trying every way to cut the target: no assumption on the rules."""
    if not source:
        return float(not target)
    return sum(
        probability * all_derivations(source[1:], target[len(output) :])
        for output, probability in corpora.LETTER_RULES[source[0]]
        if tuple(target[: len(output)]) == output
    )


SOURCES = ["a", "b", "d", "e", "aa", "ab", "ba", "cde", "bab", "edcba", "bbb", "aaaa"]


@pytest.mark.parametrize("source", SOURCES)
def test_letter_distributions_sum_to_one_and_agree_with_log_prob(source):
    distribution = corpora.letters_distribution(source)
    assert math.isclose(sum(distribution.values()), 1.0, abs_tol=1e-12)
    for target, probability in distribution.items():
        assert math.isclose(all_derivations(source, target), probability, rel_tol=1e-12)
        log_prob = corpora.letters_log_prob(source, target)
        assert math.isclose(log_prob, math.log(probability), rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("letter", corpora.LETTER_RULES)
def test_no_output_begins_another(letter):
    outputs = [output for output, _ in corpora.LETTER_RULES[letter]]
    for one, other in itertools.permutations(outputs, 2):
        assert other[: len(one)] != one


@pytest.mark.parametrize("target", ["", "x", "wx", "xyw", "v", "q"])
def test_what_a_source_cannot_become_has_no_probability(target):
    assert corpora.letters_log_prob("a", target) == -math.inf


@pytest.mark.parametrize("source", ["a", "b", "ab", "edb", "cc"])
def test_next_tokens_multiply_to_the_probability(source):
    for target, probability in corpora.letters_distribution(source).items():
        product = 1.0
        for t, token in enumerate([*target, None]):
            step = corpora.letters_next(source, target[:t])
            assert math.isclose(sum(step.values()), 1.0, abs_tol=1e-12)
            product *= step[token]
        assert math.isclose(product, probability, rel_tol=1e-12)


@pytest.mark.parametrize("prefix", ["v", "xw", "wx", "ww"])
def test_an_impossible_prefix_is_refused(prefix):
    with pytest.raises(ValueError, match="is never rewritten to begin with"):
        corpora.letters_next("ad" if prefix == "wx" else "a", prefix)


def beam(source: str, width: int) -> tuple[str, float]:
    """The most probable finished output of a beam of that width."""
    open_, finished = [("", 1.0)], []
    while open_:
        grown = [
            (prefix if token is None else prefix + token, p * q, token is None)
            for prefix, p in open_
            for token, q in corpora.letters_next(source, prefix).items()
        ]
        grown = sorted(grown, key=lambda entry: -entry[1])[:width]
        finished += [(text, p) for text, p, done in grown if done]
        open_ = [(text, p) for text, p, done in grown if not done]
    return max(finished, key=lambda entry: entry[1])


def test_greedy_search_misses_the_mode_and_a_wider_beam_finds_it_shorter():
    found = {width: beam("a", width) for width in (1, 2)}
    assert found[1][0] in ("xy", "xz") and math.isclose(found[1][1], 0.3)
    assert found[2][0] == "w" and math.isclose(found[2][1], 0.4)
    assert corpora.letters_mode("a") == ("w",)

    found = {width: beam("b", width) for width in (1, 2, 3)}
    assert [round(p, 12) for _, p in found.values()] == [0.12, 0.18, 0.3]
    assert [len(text) for text, _ in found.values()] == [2, 2, 1]
    # The mode is shorter than most of what a `b` becomes.
    longer = sum(p for t, p in corpora.letters_distribution("b").items() if len(t) > 1)
    assert math.isclose(longer, 0.7)


@pytest.mark.parametrize("source", ["c", "d", "e", "cde"])
def test_greedy_search_finds_the_mode_of_the_easy_letters(source):
    assert tuple(beam(source, 1)[0]) == corpora.letters_mode(source)
    assert len(corpora.letters_mode("e")) == 3  # here the longest output is the most probable


@pytest.mark.parametrize("source", SOURCES)
def test_the_mode_is_the_most_probable_target(source):
    distribution = corpora.letters_distribution(source)
    best = max(distribution.values())
    assert math.isclose(distribution[corpora.letters_mode(source)], best, rel_tol=1e-12)


def test_the_entropy_floor_is_that_of_the_enumerated_targets():
    nats = tokens = 0.0
    for source in SOURCES:
        distribution = corpora.letters_distribution(source)
        entropy = -sum(p * math.log(p) for p in distribution.values())
        length = sum(p * len(t) for t, p in distribution.items())
        assert math.isclose(corpora.letters_entropy(source), entropy, abs_tol=1e-12)
        assert math.isclose(corpora.letters_expected_length(source), length, rel_tol=1e-12)
        nats, tokens = nats + entropy, tokens + length + 1
    assert math.isclose(corpora.letters_entropy_floor(SOURCES), nats / tokens, rel_tol=1e-12)


def test_the_entropy_floor_is_the_loss_of_the_true_model():
    corpus = corpora.letters(4000, 500, 500)
    pairs = everything(corpus)
    assert corpus.entropy_floor == corpora.letters_entropy_floor(p.source for p in pairs)
    nll = [-corpora.letters_log_prob(p.source, p.target) for p in pairs]
    excess = [x - corpora.letters_entropy(p.source) for x, p in zip(nll, pairs, strict=True)]
    # A sum of 5,000 independent terms of mean 0: within five of its standard deviations.
    assert abs(sum(excess)) < 5 * math.sqrt(sum(x * x for x in excess))
    loss = sum(nll) / sum(len(p.target) + 1 for p in pairs)
    assert abs(loss - corpus.entropy_floor) < 0.01
    # The unit shows: not counting EOS makes it visibly larger.
    assert abs(sum(nll) / sum(len(p.target) for p in pairs) - corpus.entropy_floor) > 0.03


def test_drawn_outputs_have_the_frequencies_of_the_rules():
    counts: dict[str, Counter] = {letter: Counter() for letter in corpora.LETTER_RULES}
    for pair in everything(corpora.letters(4000, 0, 0)):
        rebuilt = []
        for i, letter in enumerate(pair.source):
            output = tuple(pair.target[j] for k, j in pair.alignment if k == i)
            counts[letter][output] += 1
            rebuilt += output
        assert tuple(rebuilt) == pair.target
    for letter, rules in corpora.LETTER_RULES.items():
        total = counts[letter].total()
        assert total > 3000 and set(counts[letter]) == {output for output, _ in rules}
        for output, probability in rules:
            deviation = math.sqrt(total * probability * (1 - probability))
            assert abs(counts[letter][output] - total * probability) <= 5 * deviation


def test_letters_refuse_what_they_do_not_know():
    for function in (corpora.letters_distribution, corpora.letters_mode, corpora.letters_entropy):
        with pytest.raises(ValueError, match="Unknown source letter: 'q'. Valid: 'a', 'b'"):
            function("aq")
    with pytest.raises(ValueError, match="has 10,077,696 targets, more than 1,000,000"):
        corpora.letters_distribution("b" * 9)
    with pytest.raises(ValueError, match="at least one source"):
        corpora.letters_entropy_floor([])
    assert corpora.letters(0, 0, 0).entropy_floor is None
