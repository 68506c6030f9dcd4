"""7.3c ``beam``: the loop, on a model with a state, from a given beginning."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search import steps
from seq2seq_lib.course.ch07_search.ex3a_expand import expand
from seq2seq_lib.course.ch07_search.ex3b_prune import prune
from seq2seq_lib.course.ch07_search.given import NextLogProbs
from seq2seq_lib.course.ch07_search.mistakes import (
    SHARED_AND_COPIED,
    WRONG_SEARCHES,
    as_probabilities,
    backwards,
    best_only,
    by_length,
    no_return,
    or_none,
    shifted,
    tokens_only,
    with_start,
    without_end,
)
from seq2seq_lib.course.ch07_search.searches import (
    ALL,
    AfterPrefix,
    Pairs,
    beam_probes,
    best_first,
    laws_5_and_6,
    search_by_library,
    search_by_lists,
    search_without_states,
    with_prefix,
)
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import Verdict
from seq2seq_lib.laws.plain_beam import PlainBeam
from seq2seq_lib.vocab import BOS_ID

# ---------------------------------------------------------------- right answers


def beam(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, prefix: list[int]
) -> list[tuple[list[int], float]]:
    state, last, total = model.start(src, src_lengths), BOS_ID, 0.0  # one row
    for token in prefix:  # written already: the model reads it, and it is paid for
        log_probs, state = model.step(torch.tensor([last]), state)
        last, total = token, total + log_probs[0, token].item()
    outputs, totals, finished = [list(prefix)], torch.tensor([total]), []
    for _ in range(max_len - len(prefix)):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])  # [k]
        log_probs, state = model.step(last, state)  # [k, V]
        parent, token, total = expand(totals, log_probs, num_beams)  # [n] each
        longer = [[*outputs[p], t] for p, t in zip(parent.tolist(), token.tolist(), strict=True)]
        ended, still_open = prune(token, num_beams)
        finished += [(longer[i], total[i].item()) for i in ended.tolist()]
        if len(still_open) == 0:
            break
        outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        state = state.select(parent[still_open])
    return sorted(finished, key=lambda output: output[1], reverse=True)


beam_by_lists = with_prefix(search_by_lists)
beam_without_states = with_prefix(search_without_states)
beam_by_library = with_prefix(search_by_library)


# ---------------------------------------------------------------- wrong answers


def with_unfinished(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, prefix: list[int]
) -> Pairs:
    """What is cut off stands in the list, too."""

    def search(*args: Any) -> list:
        (hyps,) = PlainBeam()(*args[:5], ALL, args[5])
        return hyps

    return with_prefix(search)(model, src, src_lengths, num_beams, max_len, prefix)


def as_many_as_beams(*args: Any) -> Pairs:
    return beam(*args)[: args[3]]


def one_beam(*args: Any) -> Pairs:
    return beam(*args[:3], 1, *args[4:])


def prefix_ignored(*args: Any) -> Pairs:
    return beam(*args[:5], [])


def without_prefix(*args: Any) -> Pairs:
    return [(tokens[len(args[5]) :], total) for tokens, total in beam(*args)]


def prefix_not_scored(*args: Any) -> Pairs:
    model, src, src_lengths, _, _, prefix = args
    paid = AfterPrefix(model, tuple(prefix)).paid(src, src_lengths)
    return [(tokens, total - paid) for tokens, total in beam(*args)]


def prefix_not_counted(*args: Any) -> Pairs:
    return beam(*args[:4], args[4] + len(args[5]), args[5])


def begun_by(reads: Any) -> Any:
    """The right loop on a model that has read something else before it goes on."""

    def wrong(
        model: Any,
        src: Tensor,
        src_lengths: Tensor,
        num_beams: int,
        max_len: int,
        prefix: list[int],
    ) -> Pairs:
        *before, last = reads(prefix)
        state = model.start(src, src_lengths)
        for token in before:
            _, state = model.step(torch.tensor([token]), state)
        paid = AfterPrefix(model, tuple(prefix)).paid(src, src_lengths)
        outputs, totals, finished = [list(prefix)], torch.tensor([paid]), []
        last = torch.tensor([last])
        for _ in range(max_len - len(prefix)):
            log_probs, state = model.step(last, state)
            parent, token, total = expand(totals, log_probs, num_beams)
            pairs = zip(parent.tolist(), token.tolist(), strict=True)
            longer = [[*outputs[p], t] for p, t in pairs]
            ended, still_open = prune(token, num_beams)
            finished += [(longer[i], total[i].item()) for i in ended.tolist()]
            if len(still_open) == 0:
                break
            outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
            last, state = token[still_open], state.select(parent[still_open])
        return best_first(finished)

    return wrong


MUTANTS = (
    Mutant("no_return", no_return),
    *(Mutant(name, with_prefix(search)) for name, search in WRONG_SEARCHES.items()),
    Mutant("same_list", with_prefix(SHARED_AND_COPIED)),
    Mutant("prefix_ignored", prefix_ignored),
    Mutant("without_prefix", without_prefix),
    Mutant("prefix_not_scored", prefix_not_scored),
    Mutant("prefix_not_counted", prefix_not_counted),
    Mutant("prefix_not_read", begun_by(lambda prefix: [BOS_ID])),
    Mutant("prefix_not_read", begun_by(lambda prefix: (prefix or [BOS_ID])[-1:])),
    Mutant("start_not_read", begun_by(lambda prefix: prefix or [BOS_ID])),
    Mutant("read_twice", begun_by(lambda prefix: [BOS_ID, *prefix, *prefix[-1:]])),
    Mutant("unfinished", with_unfinished),
    Mutant("special", with_start(beam)),
    Mutant("no_end", without_end(beam)),
    Mutant("none_for_empty", or_none(beam)),
    Mutant("probabilities", as_probabilities(beam)),
    Mutant("worst_first", backwards(beam)),
    Mutant("not_sorted", by_length(beam)),
    Mutant("too_short", shifted(beam, -1, place=4)),
    Mutant("too_long", shifted(beam, 1, place=4)),
    Mutant("best_only", best_only(beam)),
    Mutant("as_many_as_beams", as_many_as_beams),
    Mutant("one_beam", one_beam),
    Mutant("not_outputs", tokens_only(beam)),
)

# ---------------------------------------------------------------- the exercise


def name_of_reading(probe: Probe, tokens: tuple[int, ...], log_prob: float) -> str | None:
    """The known mistake in reading or paying for the prefix that gives this number."""
    model, src, src_lengths, _, _, prefix = probe.args.values()
    begun = AfterPrefix(model, tuple(prefix))
    paid, new = begun.paid(src, src_lengths), tokens[len(prefix) :]
    readings = (  # what was read before the first new word, and what may have been paid
        ("prefix_not_scored", [BOS_ID, *prefix], (0.0,)),
        ("prefix_not_read", [BOS_ID], (0.0, paid)),
        ("prefix_not_read", [BOS_ID, *prefix[:-1], BOS_ID], (0.0, paid)),
        ("start_not_read", prefix, (0.0, paid)),
        ("prefix_not_read", prefix[-1:], (0.0, paid)),
        ("read_twice", [BOS_ID, *prefix, prefix[-1]], (0.0, paid)),
    )
    for name, reads, costs in readings:
        state = model.start(src, src_lengths)
        for token in reads:
            log_probs, state = model.step(torch.tensor([token]), state)
        total = log_probs[0, new[0]].item()
        for token, following in zip(new, new[1:], strict=False):
            log_probs, state = model.step(torch.tensor([token]), state)
            total += log_probs[0, following].item()
        if any(abs(log_prob - cost - total) <= steps.NEAR for cost in costs):
            return name
    return None


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Reads each output again; a number that is not its own comes from another's state."""
    reader = NextLogProbs(*(probe.args[name] for name in ("model", "src", "src_lengths")))
    prefix, found = tuple(probe.args["prefix"]), steps.read(value, 2)
    for tokens, _ in found:
        if tokens[: len(prefix)] != prefix:
            return "without_prefix", {"output": steps.spelt(tokens), "prefix": str(list(prefix))}
    for tokens, log_prob in found:
        if not prefix or len(tokens) > probe.args["max_len"] or max(tokens) >= len(reader(())):
            continue
        due = sum(steps.parts_of(tokens, reader))
        if abs(log_prob - due) > steps.NEAR and (name := name_of_reading(probe, tokens, log_prob)):
            numbers = {"yours": describe.number(log_prob), "right": describe.number(due)}
            return name, {"output": steps.spelt(tokens)} | numbers
    return steps.explain(probe, value, expected, reader, strange="state")


def laws(answer: Any) -> Verdict:
    """Both laws judge what is found without a prefix."""
    return laws_5_and_6(
        lambda *args: [(tokens, total, total) for tokens, total in answer(*args[:5], [])]
    )


EXERCISES = (
    Exercise(
        "7.3c",
        "beam",
        kind="I",
        difficulty=4,
        importance=5,
        minutes=20,
        points=4,
        task=FunctionTask(
            spec=beam_by_lists,
            probes=beam_probes,
            steps=(steps.is_list_of(2), *steps.STEPS),
            mutants=MUTANTS,
            explain=explain,
            law=laws,
        ),
        reference=beam,
        alternatives=(beam_by_lists, beam_without_states, beam_by_library),
        words=words_beside(__file__),
    ),
)
