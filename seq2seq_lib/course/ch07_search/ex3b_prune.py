"""7.3b ``prune``: what has ended, and what stays open, on tensors."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.steps import are_rows_of_numbers, are_tensors
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import EOS_ID, PAD_ID

Two = tuple[Tensor, Tensor]

# ---------------------------------------------------------------- right answers


def prune_spec(token: Tensor, num_beams: int) -> Two:
    ended, still_open = [], []
    for place, id in enumerate(token.tolist()):
        if id == EOS_ID:
            if place < num_beams:
                ended.append(place)
        elif len(still_open) < num_beams:
            still_open.append(place)
    return torch.tensor(ended, dtype=torch.int64), torch.tensor(still_open, dtype=torch.int64)


def prune(token: Tensor, num_beams: int) -> tuple[Tensor, Tensor]:
    ends = token == EOS_ID  # [n]
    place = torch.arange(len(token))  # [n]
    return place[ends & (place < num_beams)], place[~ends][:num_beams]


def prune_by_nonzero(token: Tensor, num_beams: int) -> Two:
    ended = (token[:num_beams] == EOS_ID).nonzero().squeeze(1)
    return ended, (token != EOS_ID).nonzero()[:num_beams, 0]


# ---------------------------------------------------------------- probes


def prune_probes(generator: torch.Generator) -> list[Probe]:
    """``(token, num_beams)``, the tokens of ranked candidates, as ``expand`` gives them."""
    long = torch.randint(3, 9, (8,), generator=generator)
    long[[0, 2, 6]] = EOS_ID  # twice among the first four, once behind
    late = torch.randint(3, 9, (6,), generator=generator)
    late[[4, 5]] = EOS_ID  # behind the first three only
    cases = [
        (torch.tensor([4, 2, 3, 2, 5]), 2),
        (torch.tensor([3, 2, 2, 4, 5, 2, 3]), 3),
        (long, 4),
        (late, 3),
        (torch.randint(3, 9, (5,), generator=generator), 3),  # nothing ends
        (torch.tensor([EOS_ID]), 2),  # nothing is left
        (torch.tensor([4]), 3),  # fewer candidates than beams
        (torch.tensor([3, EOS_ID]), 1),  # one beam: EOS comes second, so nothing ends
        (torch.tensor([EOS_ID, 5]), 1),
        (torch.tensor([2, 4, 2, 5]), 2),  # the first place that does not count is num_beams itself
        (torch.tensor([2, 2, 4, 2, 5]), 2),  # and the next, while the beam still has room
    ]
    return [
        Probe(
            {"token": token, "num_beams": num_beams},
            f"token = {token.tolist()}, num_beams = {num_beams}",
        )
        for token, num_beams in cases
    ]


# ---------------------------------------------------------------- wrong answers


def places(found: Tensor) -> Tensor:
    return found.nonzero().squeeze(1)


def ends_anywhere(token: Tensor, num_beams: int) -> Two:
    return places(token == EOS_ID), prune(token, num_beams)[1]


def ended_stay_open(token: Tensor, num_beams: int) -> Two:
    return prune(token, num_beams)[0], torch.arange(min(num_beams, len(token)))


def first_places_only(token: Tensor, num_beams: int) -> Two:
    return prune(token, num_beams)[0], places(token[:num_beams] != EOS_ID)


def ended_take_places(token: Tensor, num_beams: int) -> Two:
    ended, still_open = prune(token, num_beams)
    return ended, still_open[: max(0, num_beams - len(ended))]


def masks(token: Tensor, num_beams: int) -> Two:
    ends = token == EOS_ID
    return ends & (torch.arange(len(token)) < num_beams), ~ends & ((~ends).cumsum(0) <= num_beams)


def exchanged(token: Tensor, num_beams: int) -> Two:
    return prune(token, num_beams)[::-1]


def too_wide(token: Tensor, num_beams: int) -> Two:
    return prune(token, num_beams)[0], places(token != EOS_ID)


def only_the_best_ends(token: Tensor, num_beams: int) -> Two:
    return places(token[:1] == EOS_ID), prune(token, num_beams)[1]


def tokens_not_places(token: Tensor, num_beams: int) -> Two:
    return tuple(token[found] for found in prune(token, num_beams))


def one_place_more(token: Tensor, num_beams: int) -> Two:
    place = torch.arange(len(token))
    ends = token == EOS_ID
    return place[ends & (place <= num_beams)], place[~ends][:num_beams]


def while_the_beam_has_room(token: Tensor, num_beams: int) -> Two:
    ended, still_open = [], []
    for place, one in enumerate(token.tolist()):
        if one == EOS_ID and len(still_open) < num_beams:
            ended.append(place)
        elif one != EOS_ID and len(still_open) < num_beams:
            still_open.append(place)
    return torch.tensor(ended, dtype=torch.int64), torch.tensor(still_open, dtype=torch.int64)


def pad_ends(token: Tensor, num_beams: int) -> Two:
    ends = token == PAD_ID
    place = torch.arange(len(token))
    return place[ends & (place < num_beams)], place[~ends][:num_beams]


def ended_only(token: Tensor, num_beams: int) -> Tensor:
    return prune(token, num_beams)[0]


def no_return(*args: Any) -> None:
    prune(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("not_two", ended_only),
    Mutant("late_end", ends_anywhere),
    Mutant("one_place_more", one_place_more),
    Mutant("late_end", while_the_beam_has_room),
    Mutant("ended_stay_open", ended_stay_open),
    Mutant("shrinks", first_places_only),
    Mutant("shrinks", ended_take_places),
    Mutant("masks", masks),
    Mutant("exchanged", exchanged),
    Mutant("too_wide", too_wide),
    Mutant("only_the_best_ends", only_the_best_ends),
    Mutant("tokens_not_places", tokens_not_places),
    Mutant("pad_ends", pad_ends),
)

# ---------------------------------------------------------------- the exercise


def explain_prune(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Which rule is broken, by the tokens at the places."""
    token, num_beams = probe.args["token"], probe.args["num_beams"]
    ended, still_open = (part.tolist() for part in value)
    if not all(0 <= place < len(token) for place in ended + still_open):
        return "no_such_place", {}
    if [place for place in ended if place >= num_beams and token[place] == EOS_ID]:
        return "late_end", {}
    if [place for place in still_open if token[place] == EOS_ID]:
        return "ended_stay_open", {}
    if len(still_open) > num_beams:
        return "too_wide", {}
    if len(still_open) < len(expected[1]):
        return "shrinks", {}
    return None


EXERCISES = (
    Exercise(
        "7.3b",
        "prune",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=8,
        points=2,
        task=FunctionTask(
            spec=prune_spec,
            probes=prune_probes,
            steps=(are_tensors(2, "not_two"), are_rows_of_numbers),
            mutants=MUTANTS,
            explain=explain_prune,
        ),
        reference=prune,
        alternatives=(prune_spec, prune_by_nonzero),
        words=words_beside(__file__),
    ),
)
