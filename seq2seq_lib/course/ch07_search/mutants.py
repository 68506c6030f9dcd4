"""Wrong answers to the exercises of chapter 7, as learners and published code give them."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.corpora import letters_mode
from seq2seq_lib.course.ch07_search import answers as right
from seq2seq_lib.course.ch07_search.given import search_letters
from seq2seq_lib.course.ch07_search.patient import patient_search
from seq2seq_lib.course.judging.exercise import Mutant
from seq2seq_lib.laws.plain_beam import Hyp, PlainBeam
from seq2seq_lib.laws.search_suspects import (
    EndNotScored,
    FinishedGrowOn,
    LengthCountsStart,
    PenaltyUpsideDown,
    SecondBestEnds,
    StartsFromCopies,
    StateStays,
    StopsWhenTheBestEnds,
    WidthShrinks,
)
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

Pairs = list[tuple[Any, float]]

# ---------------------------------------------------------------- 7.2 exhaustive


def every_sequence(
    next_log_probs: Callable,
    max_len: int,
    *,
    goes_on: Callable[[tuple, int], bool] = lambda tokens, longest: len(tokens) < longest,
    skips: Callable[[int, float], bool] = lambda token, log_prob: log_prob == -math.inf,
    reads: Callable[[tuple], tuple] = lambda tokens: tokens,
) -> list[tuple[tuple, list[float]]]:
    """All sequences and their parts; each argument is a decision that can be wrong."""
    found, unfinished = [], [((), [])]
    while unfinished:
        tokens, parts = unfinished.pop(0)
        for token, log_prob in enumerate(next_log_probs(reads(tokens))):
            if skips(token, log_prob):
                continue
            longer = ((*tokens, token), [*parts, log_prob])
            found.append(longer)
            if goes_on(longer[0], max_len):
                unfinished.append(longer)
    return found


def until_the_end(tokens: tuple, longest: int) -> bool:
    return tokens[-1] != EOS_ID and len(tokens) < longest


def best_first(found: Any) -> Pairs:
    return sorted(found, key=lambda output: -output[1])


def ended(found: list, number: Callable[[list[float]], float] = sum) -> Pairs:
    return best_first((tokens, number(parts)) for tokens, parts in found if tokens[-1] == EOS_ID)


def counts_unfinished(next_log_probs: Callable, max_len: int) -> Pairs:
    found = every_sequence(next_log_probs, max_len, goes_on=until_the_end)
    cut = [f for f in found if f[0][-1] == EOS_ID or len(f[0]) == max_len]
    return best_first((tokens, sum(parts)) for tokens, parts in cut)


def counts_every_prefix(next_log_probs: Callable, max_len: int) -> Pairs:
    found = every_sequence(next_log_probs, max_len, goes_on=until_the_end)
    return best_first((tokens, sum(parts)) for tokens, parts in found)


def goes_on_after_the_end(next_log_probs: Callable, max_len: int) -> Pairs:
    return ended(every_sequence(next_log_probs, max_len))


def with_number(number: Callable[[list[float]], float]) -> Callable:
    def exhaustive(next_log_probs: Callable, max_len: int) -> Pairs:
        found = every_sequence(next_log_probs, max_len, goes_on=until_the_end)
        return ended(found, number)

    return exhaustive


def keeps(skips: Callable[[int, float], bool]) -> Callable:
    def exhaustive(next_log_probs: Callable, max_len: int) -> Pairs:
        found = every_sequence(next_log_probs, max_len, goes_on=until_the_end, skips=skips)
        return ended(found)

    return exhaustive


def reads_the_last_only(next_log_probs: Callable, max_len: int) -> Pairs:
    reads = {"reads": lambda tokens: tokens[-1:], "goes_on": until_the_end}
    return ended(every_sequence(next_log_probs, max_len, **reads))


def no_return(*args: Any) -> None:
    sorted(map(str, args))


def lists(function: Callable) -> Callable:
    """A wrong answer that changes the right list of 7.2, 7.3c or 7.5c."""
    return lambda answer: lambda *args: function(answer(*args))


WITHOUT_END = lists(lambda found: [(tokens[:-1], *rest) for tokens, *rest in found])
BACKWARDS = lists(lambda found: found[::-1])
BY_LENGTH = lists(lambda found: sorted(found, key=lambda output: len(output[0])))
BEST_ONLY = lists(lambda found: found[:1])
TOKENS_ONLY = lists(lambda found: [tokens for tokens, *_ in found])
AS_PROBABILITIES = lists(lambda found: [(tokens, math.exp(total)) for tokens, total in found])
BY_MEAN = lists(lambda found: best_first((tokens, t / len(tokens)) for tokens, t in found))
WITH_START = lists(lambda found: [((BOS_ID, *tokens), *rest) for tokens, *rest in found])


def shifted(answer: Callable, by: int) -> Callable:
    """With another maximal length, which is the last argument or the one before ``alpha``."""

    def shifted_answer(*args: Any) -> Any:
        place = 4 if len(args) > 4 else len(args) - 1
        return answer(*args[:place], args[place] + by, *args[place + 1 :])

    return shifted_answer


EXHAUSTIVE_MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("unfinished", counts_unfinished),
    Mutant("unfinished", counts_every_prefix),
    Mutant("after_end", goes_on_after_the_end),
    Mutant("no_end", WITHOUT_END(right.exhaustive)),
    Mutant("special", keeps(lambda token, log_prob: False)),
    Mutant("improbable", keeps(lambda token, log_prob: log_prob < -8)),
    Mutant("end_not_scored", with_number(lambda parts: sum(parts[:-1]))),
    Mutant("probabilities", AS_PROBABILITIES(right.exhaustive)),
    Mutant("product_of_logs", with_number(math.prod)),
    Mutant("divided", BY_MEAN(right.exhaustive)),
    Mutant("last_only", with_number(lambda parts: parts[-1])),
    Mutant("last_as_prefix", reads_the_last_only),
    Mutant("worst_first", BACKWARDS(right.exhaustive)),
    Mutant("not_sorted", BY_LENGTH(right.exhaustive)),
    Mutant("too_short", shifted(right.exhaustive, -1)),
    Mutant("too_long", shifted(right.exhaustive, 1)),
    Mutant("best_only", BEST_ONLY(right.exhaustive)),
    Mutant("not_outputs", TOKENS_ONLY(right.exhaustive)),
)

# ---------------------------------------------------------------- 7.3a expand

Three = tuple[Tensor, Tensor, Tensor]


def top(every: Tensor, count: int, divisor: int) -> Three:
    """The ``count`` best possible entries of ``[k, V]``."""
    flat = every.flatten()
    total, place = flat.topk(min(count, int((flat > -math.inf).sum())))
    return place // divisor, place % divisor, total


def best_of_each_beam(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    every = totals[:, None] + log_probs  # [k, V]
    total, token = every.topk(min(num_beams, every.size(1)), dim=1)  # [k, n]
    parent = torch.arange(len(every))[:, None].expand_as(token)
    return parent.flatten(), token.flatten(), total.flatten()


def best_of_each_beam_sorted(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    parent, token, total = best_of_each_beam(totals, log_probs, num_beams)
    order = total.argsort(descending=True)
    return parent[order], token[order], total[order]


def without_totals(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    return top(log_probs, 2 * num_beams, log_probs.size(1))


def token_number(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    parent, token, _ = right.expand(totals, log_probs, num_beams)
    return parent, token, log_probs[parent, token]


def swapped(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    parent, token, total = right.expand(totals, log_probs, num_beams)
    return token, parent, total


def total_first(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    parent, token, total = right.expand(totals, log_probs, num_beams)
    return total, parent, token


def divided_by_beams(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    return top(totals[:, None] + log_probs, 2 * num_beams, len(totals))


def true_division(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    _, token, total = right.expand(totals, log_probs, num_beams)
    place = (totals[:, None] + log_probs).flatten().topk(len(token)).indices
    return place / log_probs.size(1), token, total


def only_as_many(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    return top(totals[:, None] + log_probs, num_beams, log_probs.size(1))


def all_of_them(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    return top(totals[:, None] + log_probs, 10**6, log_probs.size(1))


def with_impossible(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    flat = (totals[:, None] + log_probs).flatten()
    total, place = flat.topk(min(2 * num_beams, len(flat)))
    return place // log_probs.size(1), place % log_probs.size(1), total


def multiplied(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    every = (totals[:, None] * log_probs).masked_fill(log_probs == -math.inf, -math.inf)
    return top(every, 2 * num_beams, log_probs.size(1))


def smallest(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    every = totals[:, None] + log_probs
    every = every.masked_fill(every == -math.inf, math.inf)
    parent, token, total = top(-every, 2 * num_beams, every.size(1))
    return parent, token, -total


def ascending(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    return tuple(part.flip(0) for part in right.expand(totals, log_probs, num_beams))


def first_row(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    return right.expand(totals[:1], log_probs[:1], num_beams)


def flat_places(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    parent, token, total = right.expand(totals, log_probs, num_beams)
    return parent, parent * log_probs.size(1) + token, total


def adds_in_place(totals: Tensor, log_probs: Tensor, num_beams: int) -> Three:
    log_probs += totals[:, None]
    return top(log_probs, 2 * num_beams, log_probs.size(1))


def total_only(totals: Tensor, log_probs: Tensor, num_beams: int) -> Tensor:
    return right.expand(totals, log_probs, num_beams)[2]


EXPAND_MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("not_three", total_only),
    Mutant("per_beam", best_of_each_beam),
    Mutant("per_beam", best_of_each_beam_sorted),
    Mutant("without_totals", without_totals),
    Mutant("token_number", token_number),
    Mutant("swapped", swapped),
    Mutant("another_order", total_first),
    Mutant("divided_by_beams", divided_by_beams),
    Mutant("not_whole", true_division),
    Mutant("only_as_many", only_as_many),
    Mutant("all_of_them", all_of_them),
    Mutant("impossible", with_impossible),
    Mutant("multiplied", multiplied),
    Mutant("worst_first", smallest),
    Mutant("worst_first", ascending),
    Mutant("first_row", first_row),
    Mutant("flat_places", flat_places),
    Mutant("argument_changed", adds_in_place),
)

# ---------------------------------------------------------------- 7.3b prune

Two = tuple[Tensor, Tensor]


def places(found: Tensor) -> Tensor:
    return found.nonzero().squeeze(1)


def ends_anywhere(token: Tensor, num_beams: int) -> Two:
    return places(token == EOS_ID), right.prune(token, num_beams)[1]


def ended_stay_open(token: Tensor, num_beams: int) -> Two:
    return right.prune(token, num_beams)[0], torch.arange(min(num_beams, len(token)))


def first_places_only(token: Tensor, num_beams: int) -> Two:
    return right.prune(token, num_beams)[0], places(token[:num_beams] != EOS_ID)


def ended_take_places(token: Tensor, num_beams: int) -> Two:
    ended, still_open = right.prune(token, num_beams)
    return ended, still_open[: max(0, num_beams - len(ended))]


def masks(token: Tensor, num_beams: int) -> Two:
    ends = token == EOS_ID
    return ends & (torch.arange(len(token)) < num_beams), ~ends & ((~ends).cumsum(0) <= num_beams)


def exchanged(token: Tensor, num_beams: int) -> Two:
    return right.prune(token, num_beams)[::-1]


def too_wide(token: Tensor, num_beams: int) -> Two:
    return right.prune(token, num_beams)[0], places(token != EOS_ID)


def only_the_best_ends(token: Tensor, num_beams: int) -> Two:
    return places(token[:1] == EOS_ID), right.prune(token, num_beams)[1]


def tokens_not_places(token: Tensor, num_beams: int) -> Two:
    return tuple(token[found] for found in right.prune(token, num_beams))


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
    return right.prune(token, num_beams)[0]


PRUNE_MUTANTS = (
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

# ---------------------------------------------------------------- 7.3c beam


class NeverSelects(PlainBeam):
    """Hypotheses move, their states do not, and nothing else is done about it."""

    def reorder(self, state, parents):
        return state


class EachGoesOnAlone(PlainBeam):
    """Every hypothesis keeps its own best continuation: k greedy searches side by side."""

    def rank(self, live, log_probs, num_beams):
        ranked = super().rank(live, log_probs, num_beams)
        if len(live) == 1:
            return ranked
        firsts = {}
        for candidate in ranked:
            firsts.setdefault(candidate[1], candidate)
        return list(firsts.values())


class RanksTokens(PlainBeam):
    """Ranked by the last token's log-probability alone; the totals are right."""

    def rank(self, live, log_probs, num_beams):
        ranked = super().rank(live, log_probs, num_beams)
        return sorted(ranked, key=lambda c: live[c[1]][1] - c[0])


class ReadsTheStart(PlainBeam):
    """The model is fed BOS at every step, and never hears what was written."""

    def one(self, model, state, *settings):
        return super().one(_OnlyStart(model), state, *settings)


class _OnlyStart:
    def __init__(self, model):
        self.model = model

    def step(self, tokens, state):
        return self.model.step(torch.full_like(tokens, BOS_ID), state)


class OthersWords(PlainBeam):
    """Totals and states follow their parents, the words stay where they are."""

    def answer(self, finished, live, n_best, alpha):
        hyps = super().answer(finished, live, n_best, alpha)
        of_length = {}
        for hyp in hyps:
            of_length.setdefault(len(hyp.tokens), []).append(hyp.tokens)
        return [hyp._replace(tokens=of_length[len(hyp.tokens)].pop()) for hyp in hyps]


class FirstEndIsEnough(PlainBeam):
    """The search is over as soon as anything has ended."""

    def done(self, finished, live, length, longest, n_best, alpha, ranked):
        return bool(finished)


def appends(model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int) -> Pairs:
    """Continuations share their parent's list."""
    state = model.start(src, src_lengths)
    outputs, totals, finished = [[]], torch.zeros(1), []
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])
        log_probs, state = model.step(last, state)
        parent, token, totals = right.expand(totals, log_probs, num_beams)
        ended, still_open = right.prune(token, num_beams)
        longer = [outputs[p] for p in parent.tolist()]
        for tokens, id in zip(longer, token.tolist(), strict=True):
            tokens.append(id)
        finished += [(longer[i], totals[i].item()) for i in ended.tolist()]
        if len(still_open) == 0:
            break
        outputs, totals = [longer[i] for i in still_open.tolist()], totals[still_open]
        state = state.select(parent[still_open])
    return best_first(finished)


def plain(search: type[PlainBeam]) -> Callable:
    """A broken ``PlainBeam`` as an answer to 7.5c."""
    return right.finished_only(search())


def as_beam(search: type[PlainBeam]) -> Callable:
    """A broken ``PlainBeam`` as an answer to 7.3c."""
    return right.without_penalty(plain(search))


def with_unfinished(model: Any, src: Tensor, src_lengths: Tensor, *settings: int) -> Pairs:
    num_beams, max_len = settings
    (hyps,) = PlainBeam()(model, src, src_lengths, num_beams, max_len, right.ALL, 0.0)
    return [(hyp.tokens, hyp.log_prob) for hyp in hyps]


def as_many_as_beams(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int
) -> Pairs:
    return right.beam(model, src, src_lengths, num_beams, max_len)[:num_beams]


def one_beam(model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int) -> Pairs:
    return right.beam(model, src, src_lengths, 1, max_len)


BEAM_MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("state", as_beam(StateStays)),
    Mutant("never_selected", as_beam(NeverSelects)),
    Mutant("words", as_beam(OthersWords)),
    Mutant("same_list", appends),
    Mutant("after_end", as_beam(FinishedGrowOn)),
    Mutant("twice", as_beam(StartsFromCopies)),
    Mutant("shrinks", as_beam(WidthShrinks)),
    Mutant("stops_early", as_beam(FirstEndIsEnough)),
    Mutant("stops_with_the_best", as_beam(StopsWhenTheBestEnds)),
    Mutant("late_end", as_beam(SecondBestEnds)),
    Mutant("end_not_scored", lists(best_first)(as_beam(EndNotScored))),
    Mutant("per_beam", as_beam(EachGoesOnAlone)),
    Mutant("without_totals", as_beam(RanksTokens)),
    Mutant("reads_the_start", as_beam(ReadsTheStart)),
    Mutant("runs_away", right.without_penalty(patient_search)),
    Mutant("unfinished", with_unfinished),
    Mutant("special", WITH_START(right.beam)),
    Mutant("no_end", WITHOUT_END(right.beam)),
    Mutant("probabilities", AS_PROBABILITIES(right.beam)),
    Mutant("worst_first", BACKWARDS(right.beam)),
    Mutant("not_sorted", BY_LENGTH(right.beam)),
    Mutant("too_short", shifted(right.beam, -1)),
    Mutant("too_long", shifted(right.beam, 1)),
    Mutant("best_only", BEST_ONLY(right.beam)),
    Mutant("as_many_as_beams", as_many_as_beams),
    Mutant("one_beam", one_beam),
    Mutant("not_outputs", TOKENS_ONLY(right.beam)),
)

# ---------------------------------------------------------------- 7.4 top_p


def kept(log_probs: Tensor, keep: Tensor) -> Tensor:
    return log_probs.masked_fill(~keep, -math.inf).log_softmax(-1)


def ranks(log_probs: Tensor) -> Tensor:
    """The rank of each token in its row, 0 for the best."""
    return log_probs.argsort(descending=True).argsort()


def drops_the_crossing(log_probs: Tensor, p: float) -> Tensor:
    sums = log_probs.exp().sort(descending=True).values.cumsum(-1)
    keep = (sums < p).gather(-1, ranks(log_probs))
    return kept(log_probs, keep)


def keeps_one_at_least(log_probs: Tensor, p: float) -> Tensor:
    sums = log_probs.exp().sort(descending=True).values.cumsum(-1)
    keep = sums < p
    keep[..., 0] = True
    return kept(log_probs, keep.gather(-1, ranks(log_probs)))


def keeps_one_more(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort(descending=True).values
    before = probs.cumsum(-1) - probs
    keep = torch.ones_like(before, dtype=torch.bool)
    keep[..., 1:] = before[..., :-1] < p
    return kept(log_probs, keep.gather(-1, ranks(log_probs)))


def not_renormalised(log_probs: Tensor, p: float) -> Tensor:
    return log_probs.masked_fill(right.top_p(log_probs, p) == -math.inf, -math.inf)


def by_threshold(log_probs: Tensor, p: float) -> Tensor:
    return kept(log_probs, log_probs.exp() >= p)


def by_other_threshold(log_probs: Tensor, p: float) -> Tensor:
    return kept(log_probs, log_probs.exp() >= 1 - p)


def order_not_undone(log_probs: Tensor, p: float) -> Tensor:
    return right.top_p(log_probs, p).sort(descending=True).values


def keep_not_moved(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort(descending=True).values
    return kept(log_probs, probs.cumsum(-1) - probs < p)


def as_probabilities(log_probs: Tensor, p: float) -> Tensor:
    return right.top_p(log_probs, p).exp()


def same_for_all_rows(log_probs: Tensor, p: float) -> Tensor:
    count = int((log_probs[0].exp().sort(descending=True).values.cumsum(0) < p).sum()) + 1
    return kept(log_probs, ranks(log_probs) < count)


def whole_batch(log_probs: Tensor, p: float) -> Tensor:
    flat = (log_probs - math.log(len(log_probs))).reshape(1, -1)
    keep = (right.top_p(flat, p) > -math.inf).reshape(log_probs.shape)
    return kept(log_probs, keep)


def worst_of_them(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort().values
    keep = probs.cumsum(-1) - probs < p
    return kept(log_probs, keep.gather(-1, (-log_probs).argsort(descending=True).argsort()))


def sums_of_logs(log_probs: Tensor, p: float) -> Tensor:
    sums = log_probs.sort(descending=True).values.cumsum(-1)
    return kept(log_probs, (sums < p).gather(-1, ranks(log_probs)))


def zeros(log_probs: Tensor, p: float) -> Tensor:
    return log_probs * (right.top_p(log_probs, p) > -math.inf)


def very_small(log_probs: Tensor, p: float) -> Tensor:
    dropped = right.top_p(log_probs, p) == -math.inf
    return log_probs.masked_fill(dropped, -1e9).log_softmax(-1)


def fills_in_place(log_probs: Tensor, p: float) -> Tensor:
    log_probs[right.top_p(log_probs, p) == -math.inf] = -math.inf
    return log_probs.log_softmax(-1)


TOP_P_MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("drops_the_crossing", keeps_one_at_least),
    Mutant("empty", drops_the_crossing),
    Mutant("one_more", keeps_one_more),
    Mutant("not_renormalised", not_renormalised),
    Mutant("threshold", by_threshold),
    Mutant("threshold", by_other_threshold),
    Mutant("order", order_not_undone),
    Mutant("order", keep_not_moved),
    Mutant("probabilities", as_probabilities),
    Mutant("one_row_for_all", same_for_all_rows),
    Mutant("one_row_for_all", whole_batch),
    Mutant("worst_first", worst_of_them),
    Mutant("all_kept", sums_of_logs),
    Mutant("zeros", zeros),
    Mutant("nearly_impossible", very_small),
    Mutant("argument_changed", fills_in_place),
)

# ---------------------------------------------------------------- 7.5 the bug clinic

SUSPECTS = {
    "runaway": patient_search,
    "stops_with_the_best": plain(StopsWhenTheBestEnds),
    "shrinks": plain(WidthShrinks),
    "twice": plain(StartsFromCopies),
    "state": plain(StateStays),
    "end_not_scored": plain(EndNotScored),
    "wrong_sign": plain(PenaltyUpsideDown),
    "wrong_length": plain(LengthCountsStart),
}


def cuts_and_keeps_the_number(*args: Any) -> list[Hyp]:
    """Ended outputs grow on; the words are cut, each output is returned once."""
    seen = {}
    for hyp in patient_search(*args):
        seen.setdefault(tuple(hyp.tokens), hyp)
    return list(seen.values())


def no_penalty(*args: Any) -> list[Hyp]:
    return right.fixed_search(*args[:5], 0.0)


def mean_of_words(*args: Any) -> list[Hyp]:
    alpha = args[5]
    hyps = right.fixed_search(*args)
    hyps = [h._replace(score=h.log_prob / max(1, len(h.tokens) - 1) ** alpha) for h in hyps]
    return sorted(hyps, key=lambda hyp: -hyp.score)


def by_log_prob(*args: Any) -> list[Hyp]:
    return sorted(right.fixed_search(*args), key=lambda hyp: -hyp.log_prob)


SEARCH_MUTANTS = (
    Mutant("no_return", no_return),
    *(Mutant(name, search) for name, search in SUSPECTS.items()),
    Mutant("runaway", cuts_and_keeps_the_number),
    Mutant("after_end", plain(FinishedGrowOn)),
    Mutant("late_end", plain(SecondBestEnds)),
    Mutant("no_penalty", no_penalty),
    Mutant("length_without_end", mean_of_words),
    Mutant("by_log_prob", by_log_prob),
    Mutant("worst_first", BACKWARDS(right.fixed_search)),
    Mutant("not_outputs", lists(lambda found: [hyp[:2] for hyp in found])(right.fixed_search)),
)

# ---------------------------------------------------------------- 7.6 how wide?

Report = dict[int, dict[str, float]]


def report_with(
    *,
    chosen: Callable[[list], list] = lambda found: found[:1],
    log_prob: Callable[[float], float] = lambda number: number,
    length: Callable[[str], float] = len,
    compared: Callable[[str], Any] = tuple,
    mean: Callable[[list[float]], float] = lambda numbers: sum(numbers) / len(numbers),
) -> Callable:
    """A report; each argument is a decision that can be wrong."""

    def width_report(sources: list[str], widths: list[int]) -> Report:
        report = {}
        for k in widths:
            found = [(s, *f) for s in sources for f in chosen(search_letters(s, k))]
            report[k] = {
                "log_prob": float(mean([log_prob(number) for _, _, number in found])),
                "length": float(mean([length(output) for _, output, _ in found])),
                "mode": float(mean([compared(o) == letters_mode(s) for s, o, _ in found])),
            }
        return report

    return width_report


WIDTH_MUTANTS = (
    Mutant("whole_list", report_with(chosen=lambda found: found)),
    Mutant("last_of_list", report_with(chosen=lambda found: found[-1:])),
    Mutant("probabilities", report_with(log_prob=math.exp)),
    Mutant("length_with_end", report_with(length=lambda output: len(output) + 1)),
    Mutant("never_equal", report_with(compared=str)),
    Mutant("sums", report_with(mean=sum)),
)
