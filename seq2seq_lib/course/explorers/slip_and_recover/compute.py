"""One wrong token, two lanes: what a model says behind it with the gold prefix and with its own."""

import functools
from dataclasses import dataclass

import torch

from seq2seq_lib.course.explorers.slip_and_recover.models import load
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID

END = "•"  # EOS as it is shown
EXTRA = 4  # the own lane may become so much longer than the gold target
DATES = {
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
WRONG = ("5", "7")
LATEST = 3  # the last place of a slip


@dataclass(frozen=True)
class Lane:
    """What one lane reads and says, a token a place; EOS is ``•``, BOS ``<``.

    Attributes:
        reads, says: equally many.
        prob: of the gold token at each place; 0 behind the gold target's end.
    """

    reads: tuple[str, ...]
    says: tuple[str, ...]
    prob: tuple[float, ...]


@dataclass(frozen=True)
class Result:
    """What the picture shows.

    Attributes:
        task, decoder, sentence: of the model, and what it translates.
        gold: the right tokens, ``•`` at the end.
        slip: the output, from 1, that is replaced by ``wrong``; 0 for none.
        gold_lane, own_lane: see ``Lane``.
        after: how many outputs follow the slip, up to the gold target's end.
        gold_wrong, own_wrong: how many of these differ from gold, place by place.
        late: places of the own lane, from 0, whose token is the gold one of the place before.
        edits: the least number of tokens to insert, delete or replace that makes the gold target
            of what was written in the own lane, the wrong token included.
    """

    task: str
    decoder: str
    sentence: str
    gold: tuple[str, ...]
    slip: int
    wrong: str
    gold_lane: Lane
    own_lane: Lane
    after: int
    gold_wrong: int
    own_wrong: int
    late: tuple[int, ...]
    edits: int

    @property
    def written(self) -> str:
        """What the own lane has written, the wrong token included, without its end."""
        says = list(self.own_lane.says)
        if self.slip:
            says[self.slip - 1] = self.wrong
        return "".join(says).removesuffix(END)


def compute(
    *,
    task: str = "dates",
    decoder: str = "attention",
    date: str = "11 feb 1984",
    number: str = "two thousand five hundred eighty - eight",
    slip: int = 1,
    wrong: str = "5",
) -> Result:
    """Run both lanes.

    Args:
        task: ``dates`` or ``numbers``; it says which of ``date`` and ``number`` counts.
        decoder: ``plain`` or ``attention``.
        date, number: one of ``DATES``, of ``NUMBERS``.
        slip: the output that is replaced, from 1; 0 for none.
        wrong: the token that is read in its place.
    """
    sentence = date if task == "dates" else number
    return _compute(task, decoder, sentence, slip, wrong)


@functools.lru_cache(maxsize=256)
@torch.no_grad()
def _compute(task: str, decoder: str, sentence: str, slip: int, wrong: str) -> Result:
    made = load(task, decoder)
    model = made.model
    words = list(sentence) if task == "dates" else sentence.split()
    gold = list((DATES | NUMBERS)[sentence])
    src = torch.tensor([[*made.src_vocab.encode(words), EOS_ID]])  # [1, S]
    target = torch.tensor([*made.tgt_vocab.encode(gold), EOS_ID])  # [T]
    T = len(target)
    (wrong_id,) = made.tgt_vocab.encode([wrong])

    def lane(own: bool) -> Lane:
        state = model.start(src, torch.tensor([src.size(1)]))
        token, reads, says, probs = BOS_ID, [], [], []
        for t in range(T + EXTRA if own else T):
            scores, state = model.step(torch.tensor([token]), state)
            scores[:, [PAD_ID, BOS_ID]] = -torch.inf  # as greedy search does
            said = int(scores.argmax())
            reads.append(token)
            says.append(said)
            probs.append(float(scores[0, target[t]].exp()) if t < T else 0.0)
            if own and said == EOS_ID and t + 1 != slip:
                break
            token = said if own or t + 1 >= T else int(target[t])
            token = wrong_id if t + 1 == slip else token
        return Lane(*(tuple(map(_shown, ids)) for ids in (reads, says)), tuple(probs))

    def _shown(token: int) -> str:
        names = {BOS_ID: "<", EOS_ID: END, PAD_ID: "_", UNK_ID: "?"}
        return names.get(token) or made.tgt_vocab.decode([token])[0]

    gold_lane, own_lane = lane(own=False), lane(own=True)
    shown = (*gold, END)
    places = range(slip, T)
    own_says = own_lane.says + ("",) * T  # it may have ended before
    written = list(own_lane.says)
    if slip:
        written[slip - 1] = wrong
    return Result(
        task,
        decoder,
        sentence,
        shown,
        slip,
        wrong,
        gold_lane,
        own_lane,
        after=len(places),
        gold_wrong=sum(gold_lane.says[t] != shown[t] for t in places),
        own_wrong=sum(own_says[t] != shown[t] for t in places),
        late=tuple(
            t
            for t in range(max(slip, 1), min(len(own_lane.says), T + 1))
            if own_lane.says[t] == shown[t - 1] != (shown[t] if t < T else "")
        ),
        edits=_edit_distance(written, list(shown)),
    )


def _edit_distance(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]
