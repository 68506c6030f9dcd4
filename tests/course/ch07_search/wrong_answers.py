"""What learners hand in for chapter 7 that is wrong: each with the finding that names it.

The known wrong answers stand beside the exercises, and are recognised by what they do on all
probes. These here are recognised by what comes back alone.
"""

import math

import torch

from seq2seq_lib.course.ch07_search.ex2_choose_batched import choose_batched
from seq2seq_lib.course.ch07_search.ex3_rescore import rescore
from seq2seq_lib.course.ch07_search.ex4_can_stop import can_stop
from seq2seq_lib.course.ch07_search.ex5c_fixed_search import fixed_search
from seq2seq_lib.course.ch07_search.ex7_prune import prune
from seq2seq_lib.course.ch07_search.ex8_choose import choose
from seq2seq_lib.course.ch07_search.given import NextLogProbs
from seq2seq_lib.course.ch07_search.steps import parts_of
from seq2seq_lib.laws import HashModel
from seq2seq_lib.vocab import EOS_ID


def changed(answer, function):
    return lambda *args: function(answer(*args))


def one_wrong(answer, position, value):
    """A right answer with another number in one of its three tensors."""

    def wrong(*args):
        parts = list(answer(*args))
        parts[position] = parts[position] + value
        return tuple(parts)

    return wrong


def by_k(totals, log_probs, k):
    rows, tokens, best = choose(totals, log_probs, k)
    place = rows * log_probs.size(1) + tokens
    return place // k, place % k, best


def may_end_at_once(ended, open_totals, length, longest, alpha):
    return can_stop(ended, open_totals, length - 1, longest, alpha)


def ranked_by_letters(candidates, k):
    order = sorted(candidates, reverse=True)
    ended = [c for c in order[:k] if c[0][-1] == EOS_ID]
    return ended, [c for c in order if c[0][-1] != EOS_ID][:k]


def with_end(hyps, tokens, log_prob=-1.0):
    return [(tokens, log_prob, log_prob), *hyps]


def changes_places(hyps):
    """Two outputs of one length stand beside each other's numbers."""
    length = {}
    for place, hyp in enumerate(hyps):
        length.setdefault(len(hyp.tokens), []).append(place)
    pair = next((places[:2] for places in length.values() if len(places) > 1), None)
    if pair is None:
        return hyps
    moved = dict(zip(pair, pair[::-1], strict=True))
    return [hyp._replace(tokens=hyps[moved.get(i, i)].tokens) for i, hyp in enumerate(hyps)]


def by_parts(number):
    """Another number than the sum of the tokens' log-probabilities."""

    def search(model, src, src_lengths, *args):
        reader = NextLogProbs(model, src, src_lengths)
        return [
            h._replace(log_prob=number(parts_of(tuple(h.tokens), reader)))
            for h in fixed_search(model, src, src_lengths, *args)
        ]

    return search


def only_on_hash_models(model, *args):
    """Right on every probe; law 5 looks at tables too."""
    hyps = fixed_search(model, *args)
    return hyps if isinstance(getattr(model, "model", model), HashModel) else hyps[:1]


def never_stops(model, src, src_lengths, num_beams, max_len, alpha):
    """A loop that forgets max_len."""
    state, token = model.start(src, src_lengths), torch.tensor([3])
    while True:
        _, state = model.step(token, state)


MISTAKES = [
    ("7.1", "not_a_choice", "x•"),
    ("7.2", "not_a_tensor", lambda *args: tuple(p.tolist() for p in choose_batched(*args))),
    ("7.2", "masks", changed(choose_batched, lambda f: (f[0] > 0, *f[1:]))),
    ("7.2", "not_whole", changed(choose_batched, lambda f: (f[0] / 1, *f[1:]))),
    ("7.2", "another_order", changed(choose_batched, lambda f: (f[2], f[0], f[1]))),
    ("7.2", "shape", changed(choose_batched, lambda f: tuple(p.squeeze() for p in f))),
    ("7.2", "shape", changed(choose_batched, lambda f: tuple(p.flatten() for p in f))),
    ("7.2", "others_row", one_wrong(choose_batched, 0, 1)),
    ("7.2", "one_of_three", one_wrong(choose_batched, 1, 1)),
    ("7.2", "one_of_three", one_wrong(choose_batched, 2, 0.5)),
    ("7.2", "ties", changed(choose_batched, lambda f: (f[0], f[1].flip(1), f[2])
                            if bool((f[2] == f[2][0, 0]).all()) else f)),
    ("7.2", "raised", lambda totals, log_probs: (totals + log_probs).topk(2)),
    ("7.3", "not_a_number", changed(rescore, torch.tensor)),
    ("7.3", "not_a_number", changed(rescore, lambda number: [number])),
    ("7.3", "value", changed(rescore, lambda number: number - 0.5)),
    ("7.4", "not_yes_or_no", changed(can_stop, int)),
    ("7.4", "value", lambda *args: len(args[1]) < 2),
    ("7.4", "both_empty", lambda ended, *rest: bool(ended) and can_stop(ended, *rest)),
    ("7.4", "present_too", may_end_at_once),
    ("7.7", "reshaped", changed(prune, lambda found: [[c[:2] for c in p] for p in found])),
    ("7.7", "by_output", ranked_by_letters),
    ("7.7", "not_two", changed(prune, lambda found: found[0] + found[1])),
    ("7.7", "tokens_only", changed(prune, lambda found: tuple([c[1] for c in p] for p in found))),
    ("7.7", "shrinks", changed(prune, lambda found: (found[0], found[1][1:]))),
    ("7.8", "not_a_tensor", lambda *args: tuple(p.tolist() for p in choose(*args))),
    ("7.8", "masks", changed(choose, lambda found: (found[0] > 0, *found[1:]))),
    ("7.8", "shape", changed(choose, lambda found: tuple(p[None] for p in found))),
    ("7.8", "shape", changed(choose, lambda found: tuple(p.squeeze() for p in found))),
    ("7.8", "how_many", changed(choose, lambda found: tuple(p[1:] for p in found))),
    ("7.8", "not_sorted", changed(choose, lambda found: tuple(p.roll(1) for p in found))),
    ("7.8", "divided_by_beams", by_k),
    ("7.8", "one_of_three", one_wrong(choose, 0, 1)),
    ("7.8", "one_of_three", one_wrong(choose, 1, 1)),
    ("7.8", "one_of_three", one_wrong(choose, 2, 0.5)),
    ("7.8", "raised", lambda totals, log_probs, k: (totals + log_probs).topk(2 * k)),
    *(
        ("7.5c", name, changed(fixed_search, function))
        for name, function in (
            ("not_a_list", lambda hyps: dict(enumerate(hyps))),
            ("not_outputs", lambda hyps: [("a", *h[1:]) for h in hyps]),
            ("unfinished", lambda hyps: with_end(hyps, (3,))),
            ("after_end", lambda hyps: with_end(hyps, (2, 2))),
            ("special", lambda hyps: with_end(hyps, (0, 2))),
            ("impossible", lambda hyps: with_end(hyps, (3, 2), math.nan)),
            ("no_such_token", lambda hyps: with_end(hyps, (99, 2), -0.0)),
            ("twice", lambda hyps: [hyps[0], *hyps] if hyps else []),
            ("two_numbers", lambda hyps: hyps and with_end(hyps, list(hyps[0].tokens), -9.0)),
            ("words", changes_places),
            ("missing", lambda hyps: hyps[:1] + hyps[2:]),
            ("score", lambda hyps: [h._replace(score=h.score - 1) for h in hyps]),
            ("state", lambda hyps: [h._replace(log_prob=h.log_prob - 1) for h in hyps]),
            ("no_end", lambda hyps: [h._replace(tokens=h.tokens[:-1]) for h in hyps]),
            ("not_sorted", lambda hyps: sorted(hyps, key=lambda h: len(h.tokens))),
            ("probabilities", lambda hyps: [h._replace(log_prob=math.exp(h[1])) for h in hyps]),
            ("sign", lambda hyps: [h._replace(log_prob=-h.log_prob) for h in hyps]),
            ("divided", lambda hyps: [h._replace(log_prob=h[1] / len(h.tokens)) for h in hyps]),
            ("none_ends", lambda hyps: hyps or [([3], -1.0, -1.0)]),
        )
    ),
    ("7.5c", "last_only", by_parts(lambda parts: parts[-1])),
    ("7.5c", "product_of_logs", by_parts(math.prod)),
    ("7.5c", "extra", lambda *args: fixed_search(*args[:3], args[3] + 1, *args[4:])),
    ("7.5c", "too_long", lambda *args: fixed_search(*args[:4], args[4] + 1, args[5])),
    ("7.5c", "too_short", lambda *args: fixed_search(*args[:4], args[4] - 1, args[5])),
    ("7.5c", "raised", never_stops),
    ("7.5c", "raised", lambda model, src, *_: model.step(src, None)),
    ("7.5c", "law", only_on_hash_models),
]  # fmt: skip
