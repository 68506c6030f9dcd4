"""Chapter 7, search: the exercises.

| id | the notebook hands in | points |
|---|---|---|
| 7.1a | a letter out of ``options_7_1a()``, greedy's output for ``letter_table()`` | 1 |
| 7.1b | a letter out of ``options_7_1b()``, its probability | 1 |
| 7.2 | ``exhaustive(next_log_probs, max_len)`` -> list of (tokens, total) | 3 |
| 7.3a | ``expand(totals, log_probs, num_beams)`` -> (parent, token, total) | 2 |
| 7.3b | ``prune(token, num_beams)`` -> (ended, still_open) | 2 |
| 7.3c | ``beam(model, src, src_lengths, num_beams, max_len)`` -> list of (tokens, total) | 4 |
| 7.4 | ``top_p(log_probs, p)`` -> floats ``[B, V]`` | 3 |
| 7.5a | a letter, the suspicious column of ``search_log()`` | 2 |
| 7.5b1, 7.5b2, 7.5b3 | ``test_patient(search)``, raises AssertionError | 2 + 2 + 1 |
| 7.5c | ``fixed_search(model, src, src_lengths, num_beams, max_len, alpha)`` -> list of Hyp | 2 |
| 7.6 | ``width_report(sources, widths)`` -> dict of dicts of three floats | 6, by hand |

7.5b is one answer and three check cells, as in chapter 4: the patient is rejected and right
searches pass; five of the eight wrong searches are; all eight are.

Ids are the library's: PAD 0, BOS 1, EOS 2, words from 3 on. All models give PAD and BOS the
probability 0. A total is a summed log-probability; an output holds its EOS and no BOS.
"""

import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search import answers as right
from seq2seq_lib.course.ch07_search import mutants as wrong
from seq2seq_lib.course.ch07_search import probes as probes07
from seq2seq_lib.course.ch07_search import steps as outputs
from seq2seq_lib.course.ch07_search.given import (
    NextLogProbs,
    letter_table,
    next_letter,
    options_7_1a,
    options_7_1b,
    search_letters,
    spelt,
)
from seq2seq_lib.course.ch07_search.patient import patient_search, search_log
from seq2seq_lib.course.ch07_search.texts import TEXTS
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.attempts import handed_on
from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.detective_task import DetectiveTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_tensor, same_value
from seq2seq_lib.course.judging.words import Words
from seq2seq_lib.laws import HashModel, TableModel, Verdict, scores_add_up, search_oracle
from seq2seq_lib.laws.plain_beam import Hyp
from seq2seq_lib.vocab import EOS_ID

__all__ = [
    "EXERCISES",
    "Hyp",
    "beam",
    "expand",
    "letter_table",
    "next_letter",
    "options_7_1a",
    "options_7_1b",
    "patient_search",
    "prune",
    "search_letters",
    "search_log",
    "spelt",
]

# what the later exercises call, whether or not they were solved
expand, prune, beam = map(handed_on, (right.expand, right.prune, right.beam))

WHICH_STRING = ChoiceTask(
    "eNqrVnJUslJQSsssKi6JL8ovV9JRUHICiZSU58cnpSbmFoNEnEEiefnxqXkpIK4LmJtalloEEgGrcAUJJecXFaUml4"
    "D4biB+bn5KqlItAImSHCk="
)
WHICH_NUMBER = ChoiceTask(
    "eNqrVnJUslJQyslPV9JRUHICsdMyi4pL4ovyy0EiziCR5PyiotTkEhDfBcTPy49PzUsBcV1B3NzUxDwQxw3EKS7NVa"
    "oFAOGRFtI="
)
EVIDENCE = ChoiceTask("eNqrVnJUslJQKsovL1bSUVByAnGS80vzSkA8ZxAvJz8vPbUYzHeByBYVpSaXKNUCANFMEFE=")


def explain_outputs(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Reads each output again with the function that was searched."""
    return outputs.explain(probe, value, expected, probe.args["next_log_probs"])


EXHAUSTIVE = FunctionTask(
    spec=right.exhaustive_spec,
    probes=probes07.exhaustive_probes,
    steps=(outputs.is_list_of(2), *outputs.STEPS),
    mutants=wrong.EXHAUSTIVE_MUTANTS,
    explain=explain_outputs,
)


def are_tensors(count: int, name: str) -> Callable[[Any, Any], Problem | None]:
    """Makes a step: so many tensors came back."""

    def step(value: Any, expected: Any) -> Problem | None:
        if value is None:
            return "no_return", {}
        if not isinstance(value, list | tuple) or len(value) != count:
            return name, {}
        return next((problem for part in value if (problem := is_tensor(part, None))), None)

    return step


def are_rows_of_numbers(value: Any, expected: Any) -> Problem | None:
    """A step: 1-dim tensors; what names a place or a token is int64."""
    for part, like in zip(value, expected, strict=True):
        if part.dtype == torch.bool:
            return "masks", {}
        if part.is_floating_point() != like.is_floating_point():
            return "not_whole", {"dtype": str(part.dtype).removeprefix("torch.")}
        if part.dim() != 1:
            return "shape", {"shape": str(list(part.shape)), "expected": str(list(like.shape))}
    return None


def are_in_order(value: Any, expected: Any) -> Problem | None:
    """A step: of three tensors the last one is the float."""
    floats = [part.is_floating_point() for part in value]
    return ("another_order", {}) if sum(floats) == 1 and not floats[-1] else None


def explain_expand(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Which of the three is wrong, and where."""
    if bool((value[2] == -math.inf).any()):
        return "impossible", {}
    counts = {"yours": str(len(value[2])), "right": str(len(expected[2]))}
    if len({len(part) for part in value}) > 1 or counts["yours"] != counts["right"]:
        return "how_many", counts
    if same_value(value[2].sort().values, expected[2].sort().values):
        if not same_value(value[2], expected[2]):
            return "not_sorted", {}
    for place in range(len(expected[2])):
        for name, yours, due in zip(("parent", "token", "total"), value, expected, strict=True):
            if not same_value(yours[place], due[place]):
                numbers = {
                    "yours": describe.number(yours[place]),
                    "right": describe.number(due[place]),
                }
                return "one_of_three", {"name": name, "place": str(place), **numbers}
    return None


EXPAND = FunctionTask(
    spec=right.expand_spec,
    probes=probes07.expand_probes,
    steps=(are_tensors(3, "not_three"), are_in_order, are_rows_of_numbers),
    mutants=wrong.EXPAND_MUTANTS,
    explain=explain_expand,
)


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


PRUNE = FunctionTask(
    spec=right.prune_spec,
    probes=probes07.prune_probes,
    steps=(are_tensors(2, "not_two"), are_rows_of_numbers),
    mutants=wrong.PRUNE_MUTANTS,
    explain=explain_prune,
)


def read_again(probe: Probe) -> NextLogProbs:
    """What the model of a probe says after any prefix."""
    return NextLogProbs(probe.args["model"], probe.args["src"], probe.args["src_lengths"])


def explain_beam(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Reads each output again; a number that is not its own comes from another's state."""
    return outputs.explain(probe, value, expected, read_again(probe), strange="state")


def explain_search(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """The same, and the scores."""
    return outputs.explain(probe, value, expected, read_again(probe), size=3, strange="state")


def short_outputs(seed: int) -> TableModel:
    """A random model of two words whose outputs all end after two of them at the latest."""
    generator = torch.Generator().manual_seed(seed)
    prefixes = [(), *((word,) for word in (3, 4))]
    rows = torch.rand(len(prefixes), 3, generator=generator).softmax(-1).tolist()
    table = {prefix: dict(zip((EOS_ID, 3, 4), row, strict=True)) for prefix, row in
             zip(prefixes, rows, strict=True)}  # fmt: skip
    return TableModel(table, vocab_size=5)


def laws_5_and_6(answer: Callable, penalties: tuple[float, ...] = (0.0,)) -> Verdict:
    """Both laws; the answer searches for one sentence, and gives only what ended.

    So law 5 gets models whose outputs all end.
    """

    def search(
        model: Any,
        src: Tensor,
        src_lengths: Tensor,
        num_beams: int,
        max_len: int,
        n_best: int,
        alpha: float,
    ) -> list[list[Hyp]]:
        found = []
        for b, length in enumerate(src_lengths.tolist()):
            one = (model, src[b : b + 1, :length], src_lengths[b : b + 1], num_beams, max_len)
            hyps = answer(*one, alpha) if penalties != (0.0,) else answer(*one)
            found.append([Hyp(list(h[0]), float(h[1]), float(h[-1])) for h in hyps][:n_best])
        return found

    oracle = search_oracle(
        search,
        models=[short_outputs(seed) for seed in range(2)],
        length_penalties=penalties,
        max_new_tokens=3,
    )
    if not oracle:
        return oracle
    models = [HashModel(7, seed, eos_bias=1.0) for seed in range(2)]
    return scores_add_up(
        search, models=models, length_penalties=penalties, num_beams=(1, 3), max_new_tokens=4
    )


BEAM = FunctionTask(
    spec=right.beam_by_lists,
    probes=probes07.beam_probes,
    steps=(outputs.is_list_of(2), *outputs.STEPS),
    mutants=wrong.BEAM_MUTANTS,
    explain=explain_beam,
    law=laws_5_and_6,
)
SEARCH = FunctionTask(
    spec=right.search_by_lists,
    probes=probes07.search_probes,
    steps=(outputs.is_list_of(3), *outputs.STEPS),
    mutants=wrong.SEARCH_MUTANTS,
    explain=explain_search,
    law=partial(laws_5_and_6, penalties=(0.0, 0.7)),
)


def is_float(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: floats, and none of them NaN."""
    if not value.is_floating_point():
        return "not_float", {"dtype": str(value.dtype).removeprefix("torch.")}
    nan = value.isnan()
    if bool(nan.all(-1).any()):  # log_softmax of a row in which nothing is left
        return "empty", {"row": str(int(nan.all(-1).nonzero()[0]))}
    return ("nan", {}) if bool(nan.any()) else None


def are_distributions(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: the rows are log-probabilities that sum to one."""
    if bool((value > 1e-4).any()):
        return "probabilities", {}
    total = value.double().exp().sum(-1)  # [B]
    rows = (total - 1).abs() > 1e-3
    if not bool(rows.any()):
        return None
    row = int(rows.nonzero()[0])
    name = "empty" if bool((value[row] == -math.inf).all()) else "not_renormalised"
    return name, {"row": str(row), "total": describe.number(total[row])}


def explain_top_p(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """Too many tokens, too few, or the wrong ones."""
    yours, due = (part.isfinite() for part in (value, expected))
    nearly = value[yours & ~due & (value < -100)]  # exp of it is 0 in float32
    if len(nearly):
        return "nearly_impossible", {"yours": describe.number(nearly[0])}
    for row in range(len(due)):
        count, right_count = int(yours[row].sum()), int(due[row].sum())
        facts = {"row": str(row), "yours": str(count), "right": str(right_count)}
        if count != right_count:
            return ("too_few" if count < right_count else "too_many"), facts
        if not torch.equal(yours[row], due[row]):
            return "others", facts
    return None


TOP_P = FunctionTask(
    spec=right.top_p_spec,
    probes=probes07.top_p_probes,
    steps=(is_tensor, has_shape, is_float, are_distributions),
    mutants=wrong.TOP_P_MUTANTS,
    explain=explain_top_p,
)

INNOCENT = (
    right.fixed_search,
    right.search_by_lists,
    right.search_without_states,
    right.search_by_library,
    right.search_by_beam,
)
DETECTIVE = (  # part, title, points, suspects to reject
    (1, "test_patient rejects the patient", 2, 1),
    (2, "test_patient rejects five wrong searches", 2, 5),
    (3, "test_patient rejects all wrong searches", 1, len(wrong.SUSPECTS)),
)
NAMES = ("log_prob", "length", "mode")


def is_report(value: Any, expected: Any) -> Problem | None:
    """A step: for each width, three numbers that can be what they are called."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict) or not all(isinstance(row, dict) for row in value.values()):
        return "not_a_dict", {}
    if value.keys() != expected.keys():
        return "widths", {"keys": ", ".join(map(repr, value))}
    for k, row in value.items():
        if row.keys() != set(NAMES):
            return "keys", {"keys": ", ".join(map(repr, row)), "k": str(k)}
        for name, number in row.items():
            if isinstance(number, bool) or not isinstance(number, Real):
                return "not_numbers", {"name": name, "k": str(k)}
            low, high = {"log_prob": (-math.inf, 0), "length": (0, math.inf), "mode": (0, 1)}[name]
            if not low <= number <= high:
                return "range", {"name": name, "k": str(k), "value": describe.number(number)}
    return None


WIDTHS = FunctionTask(
    spec=right.width_report_by_tensors,
    probes=probes07.width_probes,
    steps=(is_report,),
    mutants=wrong.WIDTH_MUTANTS,
)

EXERCISES = (
    Exercise(
        "7.1a",
        "what greedy writes",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=2,
        points=1,
        task=WHICH_STRING,
        reference=WHICH_STRING.answer,
        words=Words.from_dict(TEXTS["7.1a"]),
    ),
    Exercise(
        "7.1b",
        "and how probable that is",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=3,
        points=1,
        task=WHICH_NUMBER,
        reference=WHICH_NUMBER.answer,
        words=Words.from_dict(TEXTS["7.1b"]),
    ),
    Exercise(
        "7.2",
        "exhaustive",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=12,
        points=3,
        task=EXHAUSTIVE,
        reference=right.exhaustive,
        words=Words.from_dict(TEXTS["7.2"]),
        alternatives=(right.exhaustive_spec, right.exhaustive_by_product),
    ),
    Exercise(
        "7.3a",
        "expand",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=10,
        points=2,
        task=EXPAND,
        reference=right.expand,
        words=Words.from_dict(TEXTS["7.3a"]),
        alternatives=(right.expand_spec, right.expand_by_sorting),
    ),
    Exercise(
        "7.3b",
        "prune",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=8,
        points=2,
        task=PRUNE,
        reference=right.prune,
        words=Words.from_dict(TEXTS["7.3b"]),
        alternatives=(right.prune_spec, right.prune_by_nonzero),
    ),
    Exercise(
        "7.3c",
        "beam",
        kind="I",
        difficulty=4,
        importance=5,
        minutes=20,
        points=4,
        task=BEAM,
        reference=right.beam,
        words=Words.from_dict(TEXTS["7.3c"]),
        alternatives=(right.beam_by_lists, right.beam_without_states, right.beam_by_library),
    ),
    Exercise(
        "7.4",
        "top_p",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=12,
        points=3,
        task=TOP_P,
        reference=right.top_p,
        words=Words.from_dict(TEXTS["7.4"]),
        alternatives=(right.top_p_spec, right.top_p_by_threshold),
    ),
    Exercise(
        "7.5a",
        "the evidence",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=5,
        points=2,
        task=EVIDENCE,
        reference=EVIDENCE.answer,
        words=Words.from_dict(TEXTS["7.5a"]),
    ),
    *(
        Exercise(
            f"7.5b{part}",
            title,
            kind="D",
            difficulty=4,
            importance=5,
            minutes=20,
            points=worth,
            task=DetectiveTask(
                INNOCENT,
                wrong.SUSPECTS,
                patient="runaway",
                tiers=((needed, worth),),
                called=("search", "searches"),
            ),
            reference=right.test_patient,
            words=Words.from_dict(TEXTS[f"7.5b{part}"]),
            alternatives=(right.test_patient_by_exhaustion,),
        )
        for part, title, worth, needed in DETECTIVE
    ),
    Exercise(
        "7.5c",
        "fixed_search",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=8,
        points=2,
        task=SEARCH,
        reference=right.fixed_search,
        words=Words.from_dict(TEXTS["7.5c"]),
        alternatives=INNOCENT,
    ),
    Exercise(
        "7.6",
        "width_report",
        kind="X",
        difficulty=3,
        importance=4,
        minutes=45,
        points=6,
        task=WIDTHS,
        reference=right.width_report,
        words=Words.from_dict(TEXTS["7.6"]),
        alternatives=(right.width_report_by_tensors,),
        manual=True,
    ),
)
