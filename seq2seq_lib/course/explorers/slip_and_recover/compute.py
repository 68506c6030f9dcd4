"""One wrong token, two lanes: what a model says behind it with the gold prefix and with its own."""

import datetime
import functools
import re
from dataclasses import dataclass

import torch

from seq2seq_lib.corpora.date_task import DATE_FORMS, date_pair, normalise_date_text
from seq2seq_lib.corpora.number_task import number_pair
from seq2seq_lib.course.explorers.slip_and_recover.models import DECODERS, SHIPPED, Trained, load
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID

END = "•"  # EOS as it is shown
EXTRA = 4  # the own lane may become so much longer than the gold target
DATES = {  # a text to try -> its right answer
    "11 feb 1984": "1984-02-11",
    "4 august 1999": "1999-08-04",
    "12/25/2010": "2010-12-25",
    "july 31, 2026": "2026-07-31",
}
NUMBERS = {
    "two thousand five hundred eighty - eight": "2588",
    "seven thousand and twelve": "7012",
    "nine thousand nine hundred ninety - nine": "9999",
    "one thousand two hundred thirty - four": "1234",
}
WRONG = tuple("0123456789")
LATEST = 10  # the last output that can be replaced
MOST_CHARACTERS = 200  # of all the words
LONGEST = {"dates": 40, "numbers": 16}  # characters, words of a typed source
SHARES = (0, 25, 50, 75)  # own tokens of the third lane, in %; 0: there is none


@dataclass(frozen=True)
class Lane:
    """What one lane reads and says, a token a place; EOS is ``•``, BOS ``<``.

    Attributes:
        reads, says: equally many.
        prob: of the gold token at each place; 0 behind the gold target's end.
        wrong: how many outputs behind the slip differ from gold, place by place; an output that is
            missing is wrong.
        own: the places, from 0, whose input is what this lane said before; only of a mixed lane.
    """

    reads: tuple[str, ...]
    says: tuple[str, ...]
    prob: tuple[float, ...]
    wrong: int
    own: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """What the picture shows.

    Attributes:
        task, decoder, sentence: of the model, and what it translates.
        gold: the right tokens, ``•`` at the end.
        known: whether the task's rule has an answer to the sentence; if not, what the model writes
            without a slip stands in for ``gold``.
        slip: the output, from 1, that is replaced by ``replaced``; 0 for none.
        replaced: the wrong token.
        share: own tokens of the third lane, in %; 0 for no third lane.
        gold_lane, own_lane: see ``Lane``. Up to the slip both read gold.
        mixed_lane: None, or one that reads its own last token where a coin says so.
        after: how many outputs follow the slip, up to the gold target's end.
        late: places of the own lane, from 0, whose token is the gold one of the place before.
        edits: the least number of tokens to insert, delete or replace that makes the gold target
            of what was written in the own lane, the wrong token included.
        written: that output, without its end.
    """

    task: str
    decoder: str
    sentence: str
    gold: tuple[str, ...]
    known: bool
    slip: int
    replaced: str
    share: int
    gold_lane: Lane
    own_lane: Lane
    mixed_lane: Lane | None
    after: int
    late: tuple[int, ...]
    edits: int
    written: str


def compute(
    *,
    task: str = "dates",
    decoder: str = "attention",
    date: str = "11 feb 1984",
    number: str = "two thousand five hundred eighty - eight",
    slip: int = 1,
    wrong: str = "5",
    share: int = 0,
    seed: int = 0,
) -> Result:
    """Run the lanes.

    Args:
        task: ``dates`` or ``numbers``; it says which of ``date`` and ``number`` counts.
        decoder: ``plain`` or ``attention``.
        date, number: any text; for a number, words.
        slip: the output that is replaced, from 1; 0 for none.
        wrong: the digit that is read in its place.
        share: of own tokens in a third lane, in %; 0 for none.
        seed: of its coins.

    Raises:
        ValueError: a text that is empty or too long, or that the model answers with nothing; a slip
            behind the last output; a name, a digit or a share that is none.
    """
    for name, value, valid in (
        ("task", task, SHIPPED),
        ("decoder", decoder, DECODERS),
        ("wrong", wrong, WRONG),
    ):
        if value not in valid:
            raise ValueError(f"Unknown {name}: {value!r}. Valid: {', '.join(map(repr, valid))}.")
    if not 0 <= share <= 100:
        raise ValueError(f"share must be 0 to 100 (%), but it is {share}.")
    sentence = _tidied(task, date if task == "dates" else number)
    return _compute(task, decoder, sentence, slip, wrong, share, seed)


def last_place(task: str, decoder: str, text: str) -> int:
    """The last output that a slip can replace: that before the end.

    Raises:
        ValueError: a text without an answer, as in ``compute``.
    """
    return len(_gold(task, decoder, _tidied(task, text))[0])


def _tidied(task: str, text: str) -> str:
    """Lower case, single spaces, and for a date the characters that the task knows."""
    if task == "dates":
        return "".join(normalise_date_text(text))
    if not text.split():
        raise ValueError(f"a number needs at least one word, but got {text!r}")
    return " ".join(text.lower().split())


@functools.lru_cache(maxsize=256)
@torch.no_grad()
def _compute(
    task: str, decoder: str, sentence: str, slip: int, wrong: str, share: int, seed: int
) -> Result:
    made = load(task, decoder)
    gold, known = _gold(task, decoder, sentence)
    if not 0 <= slip <= len(gold):
        raise ValueError(f"slip must be 0 to {len(gold)}, the length of {gold}, but it is {slip}.")
    src = _source(made, task, sentence)
    target = torch.tensor([*made.tgt_vocab.encode(list(gold)), EOS_ID])  # [T]
    shown, T = (*gold, END), len(target)
    (wrong_id,) = made.tgt_vocab.encode([wrong])
    coins = torch.rand(T, generator=torch.Generator().manual_seed(seed))  # [T]

    def lane(own_share: float) -> Lane:
        """Behind the slip, a place reads its own last token if its coin is below the share."""
        state = made.model.start(src, torch.tensor([src.size(1)]))
        token, reads, says, probs, own = BOS_ID, [], [], [], []
        for t in range(T + EXTRA if own_share == 1 else T):
            scores, state = made.model.step(torch.tensor([token]), state)
            said = _said(scores)
            reads.append(token)
            says.append(said)
            probs.append(float(scores[0, target[t]].exp()) if t < T else 0.0)
            behind = t + 1 > slip or not slip
            if own_share == 1 and said == EOS_ID and behind:
                break
            if t + 1 == slip:
                token = wrong_id
            elif behind and (t + 1 >= T or coins[t + 1] < own_share):
                token = said
                own.append(t + 1)
            else:
                token = int(target[t])
        names = [tuple(_shown(made, token) for token in ids) for ids in (reads, says)]
        missing = ("",) * T
        differs = sum((names[1] + missing)[t] != shown[t] for t in range(slip, T))
        mixed = tuple(t for t in own if t < T) if 0 < own_share < 1 else ()
        return Lane(*names, tuple(probs), differs, mixed)

    own_lane = lane(1.0)
    written = list(own_lane.says)
    if slip:
        written[:slip] = [*gold[: slip - 1], wrong]
    return Result(
        task,
        decoder,
        sentence,
        shown,
        known,
        slip,
        wrong,
        share,
        lane(0.0),
        own_lane,
        lane(share / 100) if share else None,
        after=T - slip,
        late=tuple(
            t
            for t in range(max(slip, 1), min(len(own_lane.says), T + 1))
            if own_lane.says[t] == shown[t - 1] != (shown[t] if t < T else "")
        ),
        edits=_edit_distance(written, list(shown)),
        written="".join(written).removesuffix(END),
    )


def _source(made: Trained, task: str, sentence: str) -> torch.Tensor:
    """The ids ``[1, S]`` of a source, its EOS included."""
    words = list(sentence) if task == "dates" else _words(sentence)
    return torch.tensor([[*made.src_vocab.encode(words), EOS_ID]])


def _said(scores: torch.Tensor) -> int:
    """The argmax of ``[1, V]``, without what greedy search may not say."""
    banned = scores.clone()
    banned[:, [PAD_ID, BOS_ID]] = -torch.inf
    return int(banned.argmax())


def _shown(made: Trained, token: int) -> str:
    names = {BOS_ID: "<", EOS_ID: END, PAD_ID: "_", UNK_ID: "?"}
    return names.get(token) or made.tgt_vocab.decode([token])[0]


# ---------------------------------------------------------------- what is right


@functools.lru_cache(maxsize=256)
@torch.no_grad()
def _gold(task: str, decoder: str, sentence: str) -> tuple[str, bool]:
    """The right answer, and True; or what the model writes, and False."""
    size = len(sentence if task == "dates" else _words(sentence))
    if size > LONGEST[task]:
        unit = "characters" if task == "dates" else "words"
        raise ValueError(f"That is {size} {unit}, and {LONGEST[task]} are the most: shorten it.")
    if len(sentence) > MOST_CHARACTERS:
        raise ValueError(
            f"That is {len(sentence)} characters, and {MOST_CHARACTERS} are the most: shorten it."
        )
    if answer := (DATES | NUMBERS).get(sentence):
        return answer, True
    answer = _date(sentence) if task == "dates" else _number(sentence)
    if answer:
        return answer, True
    made = load(task, decoder)
    src = _source(made, task, sentence)
    state, token, written = made.model.start(src, torch.tensor([src.size(1)])), BOS_ID, []
    while len(written) < LATEST:
        scores, state = made.model.step(torch.tensor([token]), state)
        token = _said(scores)
        if token == EOS_ID:
            break
        written.append(_shown(made, token))
    if not written:
        raise ValueError(f"To “{sentence}” this model says nothing, so nothing can slip.")
    return "".join(written), False


def _date(text: str) -> str | None:
    """The day, if one of its year is written like this in a form that the task has."""
    characters = tuple(text)
    for year in {int(digits) for digits in re.findall(r"(?<!\d)[1-9]\d{3}(?!\d)", text)}:
        day = datetime.date(year, 1, 1)
        while day.year == year:
            if any(date_pair(day, form).source == characters for form in DATE_FORMS):
                return day.isoformat()
            if day == datetime.date.max:
                break
            day += datetime.timedelta(days=1)
    return None


def _words(text: str) -> list[str]:
    return text.replace("-", " - ").split()


def _number(text: str) -> str | None:
    """The digits, if a number below 10,000 is written like this."""
    return _every_number().get(tuple(_words(text)))


@functools.cache
def _every_number() -> dict[tuple[str, ...], str]:
    return {
        number_pair(number, use_and, hyphens).source: str(number)
        for number in range(10_000)
        for use_and in (True, False)
        for hyphens in (True, False)
    }


def _edit_distance(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]
