"""What learners hand in for chapter 7 that is wrong: each with the finding that names it.

The known wrong answers stand beside the exercises, and are recognised by what they do on all
probes. These here are recognised by what comes back alone.
"""

import math

import torch

from seq2seq_lib.course.ch07_search import (
    ex2_n_best,
    ex4_top_p,
    given,
    mistakes,
    searches,
)
from seq2seq_lib.course.ch07_search.ex2_n_best import n_best
from seq2seq_lib.course.ch07_search.ex3a_expand import expand
from seq2seq_lib.course.ch07_search.ex3b_prune import prune
from seq2seq_lib.course.ch07_search.ex3c_beam import beam
from seq2seq_lib.course.ch07_search.ex4_top_p import top_p
from seq2seq_lib.course.ch07_search.ex5c_fixed_search import fixed_search
from seq2seq_lib.filters import top_p_filter
from seq2seq_lib.laws import HashModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID


def changed(answer, function):
    return lambda *args: function(answer(*args))


# ---------------------------------------------------------------- 7.2 and 7.3c: lists of outputs


def shift(found, by):
    return [(tokens, total + by) for tokens, total in found]


def changes_places(found):
    """Two outputs of one length stand beside each other's numbers."""
    length = {}
    for place, (tokens, _) in enumerate(found):
        length.setdefault(len(tokens), []).append(place)
    pair = next((places[:2] for places in length.values() if len(places) > 1), None)
    if pair is None:
        return found
    moved = dict(zip(pair, pair[::-1], strict=True))
    return [(found[moved.get(i, i)][0], total) for i, (_, total) in enumerate(found)]


def at_size_one(answer, place, wrong):
    """Right unless the argument at this place is 1: an axis of size 1 was squeezed away, say."""
    return lambda *args: wrong(answer(*args)) if args[place] == 1 else answer(*args)


def only_on_hash_models(model, *args):
    """Right on every probe; law 5 looks at tables too."""
    pairs = beam(model, *args)
    return pairs if isinstance(getattr(model, "model", model), HashModel) else pairs[:1]


def grows_for_ever(next_log_probs, max_len, n, prefix=()):
    """A recursion that forgets max_len."""
    return [
        output
        for token, log_prob in enumerate(next_log_probs(prefix))
        if log_prob > -math.inf
        for output in (
            [(prefix, log_prob)]
            if token == EOS_ID
            else grows_for_ever(next_log_probs, max_len, n, (*prefix, token))
        )
    ]


def never_stops(model, src, src_lengths, num_beams, max_len, prefix):
    """A loop that forgets max_len."""
    state, token = model.start(src, src_lengths), torch.tensor([3])
    while True:
        _, state = model.step(token, state)


def places_select(*args):
    """The state follows the places of the candidates, not their parents."""
    search = mistakes.by_tensors(rows=lambda parent, place: place.clamp(max=int(parent.max())))
    return searches.with_prefix(search)(*args)


def loop(model, src, src_lengths, num_beams, max_len, prefix, children):
    """The right loop, but for ``children(words, parents, tokens)``."""
    state, total = model.start(src, src_lengths), 0.0
    reads = [BOS_ID, *prefix]
    for read, token in zip(reads, prefix, strict=False):
        log_probs, state = model.step(torch.tensor([read]), state)
        total += log_probs[0, token].item()
    words, totals, finished, last = [list(prefix)], torch.tensor([total]), [], reads[-1:]
    for _ in range(max_len - len(prefix)):
        log_probs, state = model.step(torch.tensor(last), state)
        parent, token, total = expand(totals, log_probs, num_beams)
        ended, still_open = prune(token, num_beams)
        longer = children(words, parent.tolist(), token.tolist())
        finished += [(tuple(longer[i]), total[i].item()) for i in ended.tolist()]
        if len(still_open) == 0:
            break
        words, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        last, state = token[still_open].tolist(), state.select(parent[still_open])
    return searches.best_first(finished)


def words_stay(*args):
    """Row i of the words gets the token of candidate i, whoever its parent is."""
    return loop(
        *args,
        lambda words, parents, tokens: [
            [*words[i % len(words)], token] for i, token in enumerate(tokens)
        ],
    )


# ---------------------------------------------------------------- 7.3a, 7.3b


def one_wrong(position, value):
    """A right answer with another number in one of its three tensors."""

    def wrong(totals, log_probs, num_beams):
        parts = list(expand(totals, log_probs, num_beams))
        parts[position] = parts[position] + value
        return tuple(parts)

    return wrong


def empty_list_made_a_tensor(token, num_beams):
    ended = [p for p, id in enumerate(token.tolist()) if id == EOS_ID and p < num_beams]
    return torch.tensor(ended), prune(token, num_beams)[1]


# ---------------------------------------------------------------- 7.4


def tops_at_half(log_probs, p):
    """The right number of tokens, but not the best ones."""
    count = (top_p(log_probs, p) > -math.inf).sum(-1, keepdim=True)
    return ex4_top_p.kept(log_probs, ex4_top_p.ranks(-log_probs) < count)


def zeros_by_where(log_probs, p):
    right = top_p(log_probs, p)
    return torch.where(right > -math.inf, right, 0.0)


def sum_of_probabilities_subtracted(log_probs, p):
    cut = ex4_top_p.not_renormalised(log_probs, p)
    return cut - cut.exp().sum(-1, keepdim=True)  # its logarithm is meant


def wrapped(log_probs, p):
    """The library's function, a line around it."""
    filtered = top_p_filter(log_probs, p)
    return filtered


def report(**row):
    return lambda sources, widths: {k: dict(row) for k in widths}


def parts_of(args, tokens):
    reader = given.NextLogProbs(*args[:3])
    return [reader(tokens[:t])[token] for t, token in enumerate(tokens)]


MISTAKES = [
    ("7.1a", "not_a_choice", "bac•"),
    ("7.1b", "not_a_choice", 0.02756),
    *(
        (id, name, changed(answer, function))
        for id, answer in {"7.2": n_best, "7.3c": beam}.items()
        for name, function in (
            ("not_a_list", lambda found: dict(enumerate(found))),
            ("not_a_list", lambda found: torch.tensor([total for _, total in found])),
            ("not_outputs", lambda found: [("a", total) for _, total in found]),
            ("not_outputs", lambda found: [(total, tokens) for tokens, total in found]),
            ("unfinished", lambda found: [((3,), 0.0), *found]),
            ("after_end", lambda found: [((2, 2), 0.0), *found]),
            ("special", lambda found: [((0, 2), 0.0), *found]),
            ("impossible", lambda found: [((3, 2), math.nan), *found]),
            ("twice", lambda found: [found[0], *found] if found else []),
            ("two_numbers", lambda found: [*found, (list(found[0][0]), -9.0)] if found else []),
            ("words", changes_places),
            ("divided", mistakes.by_mean(lambda found: found)),
            ("sign", lambda found: [(t, -total) for t, total in found[::-1]]),
            ("missing", lambda found: found[:1] + found[2:]),
            ("none_for_empty", lambda found: found or None),
        )
    ),
    ("7.2", "no_such_token", changed(n_best, lambda found: [((99, 2), 0.0), *found])),
    ("7.2", "not_its_own", changed(n_best, lambda found: shift(found, -0.5))),
    ("7.2", "impossible", ex2_n_best.exhaustive(skips=lambda token, log_prob: token in (0, 1))),
    ("7.2", "raised", lambda next_log_probs, max_len, n: next_log_probs[0]),
    ("7.2", "raised", grows_for_ever),
    ("7.2", "law", ex2_n_best.n_best_spec),
    ("7.2", "too_short", at_size_one(n_best, 1, lambda found: [])),
    ("7.2", "all_of_them", lambda model, max_len, n: n_best(model, max_len, n + 1)),
    ("7.3a", "not_a_tensor", lambda *args: tuple(p.tolist() for p in expand(*args))),
    ("7.3a", "masks", changed(expand, lambda found: (found[0] > 0, *found[1:]))),
    ("7.3a", "shape", changed(expand, lambda found: tuple(p[None] for p in found))),
    ("7.3a", "shape", changed(expand, lambda found: tuple(p.squeeze() for p in found))),
    ("7.3a", "how_many", changed(expand, lambda found: tuple(p[1:] for p in found))),
    ("7.3a", "not_sorted", changed(expand, lambda found: tuple(p.roll(1) for p in found))),
    ("7.3a", "one_of_three", one_wrong(0, 1)),
    ("7.3a", "one_of_three", one_wrong(1, 1)),
    ("7.3a", "one_of_three", one_wrong(2, 0.5)),
    ("7.3a", "raised", lambda totals, log_probs, k: (totals + log_probs).topk(2 * k)),
    ("7.3b", "not_whole", empty_list_made_a_tensor),
    ("7.3b", "no_such_place", changed(prune, lambda found: (found[0], found[1] + 9))),
    ("7.3b", "not_a_tensor", lambda *args: tuple(p.tolist() for p in prune(*args))),
    ("7.3b", "shape", changed(prune, lambda found: tuple(p.squeeze() for p in found))),
    ("7.3b", "value", changed(prune, lambda found: (found[0][:0], found[1]))),
    ("7.3b", "late_end", lambda token, k: (prune(token, k + (k == 1))[0], prune(token, k)[1])),
    ("7.3c", "no_such_token", lambda *args: [((*args[5], 99, 2), 0.0), *beam(*args)]),
    ("7.3c", "state", places_select),
    ("7.3c", "state", changed(beam, lambda found: shift(found, -0.5))),
    ("7.3c", "last_only", lambda *args: searches.best_first(
        (tokens, parts_of(args, tokens)[-1]) for tokens, _ in beam(*args))),
    ("7.3c", "product_of_logs", lambda *args: searches.best_first(
        (tokens, math.prod(parts_of(args, tokens))) for tokens, _ in beam(*args))),
    ("7.3c", "extra", lambda *args: beam(*args[:3], args[3] + 1, *args[4:])),
    ("7.3c", "law", only_on_hash_models),
    ("7.3c", "words", words_stay),
    ("7.3c", "too_short", at_size_one(beam, 4, lambda found: [])),
    ("7.3c", "missing", at_size_one(beam, 3, lambda found: found[1:])),
    ("7.3c", "raised", never_stops),
    ("7.3c", "raised", lambda model, src, *_: model.step(src, None)),
    ("7.3c", "none_ends", lambda *args: beam(*args) or [([3], -1.0)]),
    ("7.5c", "none_ends", lambda *args: fixed_search(*args) or [([3], -1.0, -1.0)]),
    ("7.4", "not_a_tensor", lambda log_probs, p: log_probs.tolist()),
    ("7.4", "shape", lambda log_probs, p: top_p(log_probs, p)[None]),
    ("7.4", "shape", lambda log_probs, p: top_p(log_probs, p).squeeze()),
    ("7.4", "not_float", lambda log_probs, p: top_p(log_probs, p) > -math.inf),
    ("7.4", "nan", lambda log_probs, p: top_p(log_probs, p) * 0),
    ("7.4", "too_few", lambda log_probs, p: top_p(log_probs, p * 0.5)),
    ("7.4", "all_kept", lambda log_probs, p: log_probs),
    ("7.4", "too_many", lambda log_probs, p: top_p(log_probs, (1 + p) / 2)),
    ("7.4", "others", tops_at_half),
    ("7.4", "zeros", zeros_by_where),
    ("7.4", "not_renormalised", sum_of_probabilities_subtracted),
    ("7.4", "above_one", lambda log_probs, p: top_p(log_probs, p) + 2),
    ("7.4", "law", wrapped),
    ("7.5c", "score", changed(fixed_search, lambda hyps: [
        hyp._replace(score=hyp.score - 1) for hyp in hyps])),
    ("7.5c", "state", changed(fixed_search, lambda hyps: [
        hyp._replace(log_prob=hyp.log_prob - 1) for hyp in hyps])),
    ("7.5c", "not_outputs", lambda *args: beam(*args[:5], [])),
    ("7.6", "no_return", lambda *args: print(*args)),
    ("7.6", "not_a_dict", lambda *args: [0.5, 0.5]),
    ("7.6", "not_a_dict", lambda sources, widths: dict.fromkeys(widths, 0.5)),
    ("7.6", "widths", lambda sources, widths: {}),
    ("7.6", "keys", report(log_prob=-1.0, length=2.0)),
    ("7.6", "not_numbers", report(log_prob=torch.tensor(-1.0), length=2.0, mode=0.5)),
    ("7.6", "not_numbers", report(log_prob=-1.0, length=2.0, mode=True)),
    ("7.6", "range", report(log_prob=1.0, length=2.0, mode=0.5)),
    ("7.6", "range", report(log_prob=-1.0, length=2.0, mode=float("nan"))),
    ("7.6", "value", report(log_prob=-1.0, length=2.0, mode=0.5)),
]  # fmt: skip
