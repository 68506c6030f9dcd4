"""7.5c ``fixed_search``: the patient, healed."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search import steps
from seq2seq_lib.course.ch07_search.ex7_prune import prune
from seq2seq_lib.course.ch07_search.ex8_choose import choose
from seq2seq_lib.course.ch07_search.given import NextLogProbs
from seq2seq_lib.course.ch07_search.mistakes import (
    SHARED_AND_COPIED,
    SUSPECTS,
    WRONG_SEARCHES,
    backwards,
    lists,
    no_return,
    or_none,
)
from seq2seq_lib.course.ch07_search.patient import patient_search
from seq2seq_lib.course.ch07_search.searches import (
    laws_5_and_6,
    search_by_library,
    search_by_lists,
    search_probes,
    search_without_states,
)
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.decoding import rescore
from seq2seq_lib.laws.plain_beam import Hyp
from seq2seq_lib.vocab import BOS_ID

# ---------------------------------------------------------------- right answers


def fixed_search(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
) -> list[Hyp]:
    state, found, beam = model.start(src, src_lengths), [], [([], 0.0, 0)]
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens, *_ in beam])
        log_probs, state = model.step(last, state)  # [rows, V]
        totals = torch.tensor([total for _, total, _ in beam], dtype=log_probs.dtype)
        chosen = zip(*(part.tolist() for part in choose(totals, log_probs, num_beams)), strict=True)
        candidates = [([*beam[row][0], token], total, row) for row, token, total in chosen]
        ended, beam = prune(candidates, num_beams)
        for tokens, log_prob, _ in ended:  # its number is final
            found.append(Hyp(tokens, log_prob, log_prob / len(tokens) ** alpha))
        if not beam:
            break
        state = state.select(torch.tensor([row for *_, row in beam]))
    return sorted(found, key=lambda hyp: hyp.score, reverse=True)


# ---------------------------------------------------------------- wrong answers


def cuts_and_keeps_the_number(*args: Any) -> list[Hyp]:
    """Ended outputs grow on; the words are cut, each output is returned once."""
    seen = {}
    for hyp in patient_search(*args):
        seen.setdefault(tuple(hyp.tokens), hyp)
    return list(seen.values())


def no_penalty(*args: Any) -> list[Hyp]:
    return fixed_search(*args[:5], 0.0)


def mean_of_words(*args: Any) -> list[Hyp]:
    alpha = args[5]
    hyps = fixed_search(*args)
    hyps = [h._replace(score=h.log_prob / max(1, len(h.tokens) - 1) ** alpha) for h in hyps]
    return sorted(hyps, key=lambda hyp: -hyp.score)


def by_log_prob(*args: Any) -> list[Hyp]:
    return sorted(fixed_search(*args), key=lambda hyp: -hyp.log_prob)


def rescored_in_the_patient_s_order(*args: Any) -> list[Hyp]:
    """The patient's words, read again: the numbers are right then, and outputs are missing."""
    found = patient_search(*args)
    (again,) = rescore(*args[:3], [[hyp.tokens for hyp in found]])
    return [Hyp(h.tokens, h.log_prob, h.log_prob / len(h.tokens) ** args[5]) for h in again]


def rescored(*args: Any) -> list[Hyp]:
    return sorted(rescored_in_the_patient_s_order(*args), key=lambda hyp: -hyp.score)


MUTANTS = (
    Mutant("no_return", no_return),
    *(Mutant(name, search) for name, search in (WRONG_SEARCHES | SUSPECTS).items()),
    Mutant("same_list", SHARED_AND_COPIED),
    Mutant("runaway", cuts_and_keeps_the_number),
    Mutant("rescored", rescored),
    Mutant("rescored", rescored_in_the_patient_s_order),
    Mutant("no_penalty", no_penalty),
    Mutant("length_without_end", mean_of_words),
    Mutant("by_log_prob", by_log_prob),
    Mutant("none_for_empty", or_none(fixed_search)),
    Mutant("worst_first", backwards(fixed_search)),
    Mutant("best_only", lists(lambda found: found[:1])(fixed_search)),
    Mutant("not_outputs", lists(lambda found: [hyp[:2] for hyp in found])(fixed_search)),
)

# ---------------------------------------------------------------- the exercise


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Reads each output again, and looks at the scores."""
    reader = NextLogProbs(*(probe.args[name] for name in ("model", "src", "src_lengths")))
    return steps.explain(probe, value, expected, reader, size=3, strange="state")


EXERCISES = (
    Exercise(
        "7.5c",
        "fixed_search",
        kind="D",
        difficulty=3,
        importance=4,
        minutes=10,
        points=2,
        task=FunctionTask(
            spec=search_by_lists,
            probes=search_probes,
            steps=(steps.is_list_of(3), *steps.STEPS),
            mutants=MUTANTS,
            explain=explain,
            law=partial(laws_5_and_6, penalties=(0.0, 0.7)),
        ),
        reference=fixed_search,
        alternatives=(
            search_by_lists,
            search_by_library,
            search_without_states,
        ),
        words=words_beside(__file__),
    ),
)
