"""Beam search against slow searches that anyone can read."""

import inspect
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_lib import decoding
from seq2seq_lib.decoding import (
    Candidates,
    LengthPenalty,
    NBest,
    OpenOutputs,
    beam_search,
    best_first_search,
    exhaustive_search,
    expand,
    greedy_search,
    length_penalty,
    prune,
    rescore,
    sample,
)
from seq2seq_lib.laws import BigramModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID
from tests.library.decoding.test_decoding import (
    NINF,
    ONE,
    TREE,
    A,
    B,
    C,
    HashModel,
    models,
    ngrams,
    sources,
    tokens,
)

PENALTIES = [(a, kind) for a in (0.0, 0.6, 1.0, -0.5) for kind in ("plain", "gnmt")]


def text(hypothesis):
    return "".join({A: "a", B: "b", C: "c", EOS_ID: "•"}[token] for token in hypothesis.tokens)


class Slow:
    """Searches as lists of tuples ``(total, tokens)``, one row at a time, that never stop early."""

    def __init__(
        self, model, src, lengths, *, max_new_tokens, min_new_tokens=0, prefix=(),
        banned_ids=(0, 1), no_repeat_ngram_size=None, length_penalty=0.0,
        length_penalty_kind="plain",
    ):  # fmt: skip
        self.model, self.src, self.lengths = model, src, lengths
        self.prefix, self.longest = list(prefix), len(prefix) + max_new_tokens
        self.min_length, self.banned = len(prefix) + min_new_tokens, set(banned_ids)
        self.n, self.penalty = no_repeat_ngram_size, (length_penalty, length_penalty_kind)

    def next(self, output):
        """Log-probabilities of all tokens after ``output``, from BOS on."""
        state = self.model.start(self.src, self.lengths)
        for token in [BOS_ID, *output]:
            log_probs, state = self.model.step(torch.tensor([token]), state)
        return log_probs[0].double().tolist()

    def allowed(self, output, token):
        if token in self.banned or (token == EOS_ID and len(output) < self.min_length):
            return False
        if self.n is None or token == PAD_ID:
            return True
        grams = ngrams([t for t in [*output, token] if t != PAD_ID], self.n)  # pads take no part
        return not grams or grams[-1] not in grams[:-1]

    def begin(self):
        total = 0.0
        for i, token in enumerate(self.prefix):
            total += self.next(self.prefix[:i])[token]
        return [(total, self.prefix)]

    def continuations(self, total, output):
        return [
            (total + log_prob, [*output, token])
            for token, log_prob in enumerate(self.next(output))
            if log_prob > NINF and self.allowed(output, token)
        ]

    def sorted(self, found, dead_ends):
        def key(item):
            length = max(len(item[1]), 1)
            return -item[0] / length_penalty(length, *self.penalty), len(item[1]), item[1]

        return [output for _, output in sorted(found or dead_ends, key=key)]

    def beam(self, k=None, early_stopping=False):
        """All that a beam of width k finds, best first; k = None keeps everything."""
        open_, found, dead_ends = self.begin(), [], []
        while open_ and len(open_[0][1]) < self.longest:
            ranked = []
            for total, output in open_:
                longer = self.continuations(total, output)
                ranked += longer
                if not longer:
                    dead_ends.append((total, output))
            ranked.sort(key=lambda item: -item[0])
            found += [item for item in ranked[:k] if item[1][-1] == EOS_ID]
            open_ = [item for item in ranked if item[1][-1] != EOS_ID][:k]
            if early_stopping and len(found) >= k:
                open_ = []
        return self.sorted(found + open_, dead_ends)


@st.composite
def searches(draw):
    """A small random model, a source, and options that all searches take."""
    # Few tokens and few steps, so that every output can be written down.
    model = HashModel(
        seed=draw(st.integers(0, 10**6)),
        vocab_size=draw(st.integers(4, 6)),
        sharpness=draw(st.sampled_from([0.5, 2.0, 6.0])),
        eos_bias=draw(st.sampled_from([0.0, 3.0, -3.0])),
    )
    steps = draw(st.integers(1, 4))
    options = {
        "max_new_tokens": steps,
        "min_new_tokens": draw(st.integers(0, steps)),
        "length_penalty": draw(st.sampled_from([0.0, 0.6, 1.0, -0.5, 2.5])),
        "length_penalty_kind": draw(st.sampled_from(["plain", "gnmt"])),
        "no_repeat_ngram_size": draw(st.sampled_from([None, None, 1, 2])),
        "banned_ids": draw(st.sampled_from([(0, 1), (0, 1, 3), (0, 1, EOS_ID), (0, 1, 2, 3), ()])),
        "prefix": draw(st.sampled_from([[], [], [3], [3, 3]])),
    }
    return model, sources(1, 4, seed=draw(st.integers(0, 99))), options


# --- the tree of chapter 7


@pytest.mark.parametrize(("k", "best", "p"), [(2, "ab•", 0.0612), (3, "b•", 0.1125)])
def test_wider_beams_find_the_more_probable_and_shorter(k, best, p):
    (found,) = beam_search(TREE, *ONE, num_beams=k, max_new_tokens=4)
    assert text(found[0]) == best
    assert math.exp(found[0].log_prob) == pytest.approx(p, rel=1e-6)


def test_the_tree_has_forty_complete_outputs_and_the_best_is_that_of_three_beams():
    (every,) = exhaustive_search(TREE, *ONE, max_new_tokens=4, n_best=None)
    assert sum(math.exp(h.log_prob) for h in every) == pytest.approx(1.0)
    assert sum(h.finished for h in every) == 40
    assert text(every[0]) == "b•" and math.exp(every[0].log_prob) == pytest.approx(0.1125)


@pytest.mark.parametrize(
    ("exponent", "best"), [(0.0, "b•"), (0.6, "b•"), (0.7, "ab•"), (1.5, "acb•")]
)
def test_the_length_penalty_picks_another_complete_output(exponent, best):
    options = {"max_new_tokens": 4, "length_penalty": exponent}
    (every,) = exhaustive_search(TREE, *ONE, n_best=None, **options)
    complete = [h for h in every if h.finished]
    assert text(complete[0]) == best
    (found,) = beam_search(TREE, *ONE, num_beams=81, n_best=81, **options)
    assert next(h for h in found if h.finished) == complete[0]


def test_expand_and_prune_are_the_two_halves_of_a_step():
    _, outputs = OpenOutputs.start(TREE, *ONE).step(TREE)
    log_probs = TREE.log_probs[[BOS_ID]]
    first = expand(outputs, log_probs, log_probs, num_beams=2)
    assert first.token.tolist() == [A, C, B]  # of the best 2 + 1 one could be EOS
    assert first.rank.tolist() == [0, 1, 2]
    ended, still_open = prune(first, num_beams=2)
    assert ended.token.tolist() == [] and still_open.token.tolist() == [A, C]

    log_probs, outputs = outputs.extend(still_open).step(TREE)
    second = expand(outputs, log_probs, log_probs, num_beams=2)
    wanted = sorted([0.4 * 0.36, 0.4 * 0.34, 0.4 * 0.15, 0.4 * 0.15, 0.3 * 0.35, 0.3 * 0.30,
                     0.3 * 0.20], reverse=True)  # fmt: skip
    assert second.total.exp().tolist() == pytest.approx(wanted)  # a tie is kept whole
    ended, still_open = prune(second, num_beams=2)
    assert [text(h) for h in hypotheses(outputs.extend(still_open))] == ["ac", "ab"]
    assert len(ended) == 0  # a• and c• come after the first two


def hypotheses(outputs):
    penalty = LengthPenalty()
    return [outputs.hypothesis(row, penalty, finished=False) for row in range(len(outputs))]


# --- oracles


def test_one_beam_is_greedy_search_on_two_hundred_models():
    for seed in range(200):
        model = HashModel(seed, vocab_size=5 + seed % 4, eos_bias=seed % 3, attention=True)
        options = [
            {},
            {"min_new_tokens": 2},
            {"no_repeat_ngram_size": 2},
            {"prefix": [4, 3]},
            {"banned_ids": [0, 1, 2, 3]},
        ][seed % 5]
        source = sources(2, 4, seed)
        greedy = greedy_search(model, *source, max_new_tokens=7, **options)
        beam = beam_search(model, *source, num_beams=1, max_new_tokens=7, **options)
        assert greedy == beam
        for (one,), (other,) in zip(greedy, beam, strict=True):
            assert torch.equal(one.attention, other.attention)


@settings(max_examples=60)
@given(searches())
def test_exhaustive_search_equals_a_slow_recursion(search):
    model, source, options = search
    (every,) = exhaustive_search(model, *source, n_best=None, **options)
    assert [h.tokens for h in every] == Slow(model, *source, **options).beam()
    (some,) = exhaustive_search(model, *source, n_best=3, **options)
    assert some == every[:3]


@settings(max_examples=100)
@given(searches(), st.integers(1, 7))
def test_a_full_beam_is_exhaustive_search(search, n_best):
    model, source, options = search
    width = model.vocab_size ** options["max_new_tokens"]
    expected = exhaustive_search(model, *source, n_best=n_best, **options)
    assert beam_search(model, *source, num_beams=max(width, n_best), n_best=n_best, **options) == (
        expected
    )


@pytest.mark.parametrize(("exponent", "kind"), PENALTIES)
def test_a_full_beam_is_exhaustive_search_for_all_penalties(exponent, kind):
    options = {"length_penalty": exponent, "length_penalty_kind": kind, "max_new_tokens": 4}
    for seed in range(8):
        model, source = HashModel(seed, vocab_size=5, eos_bias=seed % 3 - 1), sources(3, seed=seed)
        expected = exhaustive_search(model, *source, n_best=20, **options)
        found = beam_search(model, *source, num_beams=5**4, n_best=20, **options)
        assert found == expected


@settings(max_examples=150)
@given(searches(), st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_a_beam_equals_the_slow_beam_that_never_stops_early(search, k, n_best, early_stopping):
    model, source, options = search
    n_best = min(k, n_best)
    (found,) = beam_search(
        model, *source, num_beams=k, n_best=n_best, early_stopping=early_stopping, **options
    )
    expected = Slow(model, *source, **options).beam(k, early_stopping)
    assert [h.tokens for h in found] == expected[:n_best]


@pytest.mark.parametrize(("exponent", "kind"), [*PENALTIES, (2.5, "plain")])
def test_narrow_beams_equal_the_slow_beam_for_all_penalties(exponent, kind):
    options = {"length_penalty": exponent, "length_penalty_kind": kind, "max_new_tokens": 5}
    for seed in range(12):
        model, source = HashModel(seed, vocab_size=6, eos_bias=seed % 3), sources(1, seed=seed)
        for k, n_best in ((4, 3), (2, 1)):
            (found,) = beam_search(model, *source, num_beams=k, n_best=n_best, **options)
            assert [h.tokens for h in found] == Slow(model, *source, **options).beam(k)[:n_best]


@settings(max_examples=60)
@given(searches(), st.integers(1, 9), st.booleans())
def test_what_a_beam_returns_is_sorted_distinct_within_limits_and_scored(search, k, early):
    model, source, options = search
    (found,) = beam_search(model, *source, num_beams=k, n_best=k, early_stopping=early, **options)
    assert 1 <= len(found) <= k
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
    assert len({tuple(h.tokens) for h in found}) == len(found)
    penalty = options["length_penalty"], options["length_penalty_kind"]
    lengths = [len(h.tokens) for h in found]
    assert max(lengths) <= len(options["prefix"]) + options["max_new_tokens"]
    for h, length in zip(found, lengths, strict=True):
        assert EOS_ID not in h.tokens[:-1]
        assert h.tokens[: len(options["prefix"])] == options["prefix"]
        assert not set(h.tokens[len(options["prefix"]) :]) & set(options["banned_ids"])
        if h.finished:
            assert length > len(options["prefix"]) + options["min_new_tokens"]
        if length:
            assert h.score == pytest.approx(h.log_prob / length_penalty(length, *penalty))
            (again,) = rescore(model, *source, [[h.tokens]])[0]
            assert h.token_log_probs == pytest.approx(again.token_log_probs, abs=1e-12)


def test_ties_come_out_in_one_order():
    even = BigramModel({last: dict.fromkeys((2, 4, 5, 6), 0.25) for last in range(7)})
    for exponent in (0.0, 1.0):
        options = {"max_new_tokens": 3, "length_penalty": exponent}
        (every,) = exhaustive_search(even, *ONE, n_best=None, **options)
        (found,) = beam_search(even, *ONE, num_beams=64, n_best=64, **options)
        assert found == every and len(every) == 40
        # with an exponent of 1 all 40 score ln 0.25; with 0 those of one length are equal
        assert tokens([every])[0] == sorted(tokens([every])[0], key=lambda ids: (len(ids), ids))
    (found,) = beam_search(even, *ONE, num_beams=3, n_best=3, max_new_tokens=3)
    assert tokens([found]) == [[[EOS_ID], [A, EOS_ID], [A, A, EOS_ID]]]


def test_of_equal_continuations_the_earlier_comes_first_however_many_there_are():
    M = 200  # a sort that is not stable still keeps the order of a dozen
    sentence, total = torch.arange(M) % 3, (torch.arange(M) % 2).double()
    mixed = Candidates(sentence, torch.arange(M), torch.arange(M), total, total)
    wanted = sorted(range(M), key=lambda i: (i % 3, -(i % 2), i))
    assert mixed.best_first().parent.tolist() == wanted


def test_a_batch_of_beams_equals_its_sentences_on_real_models():
    for model in models():
        src, lengths = sources(4, 6)
        options = {"num_beams": 3, "n_best": 3, "max_new_tokens": 6, "length_penalty": 0.8}
        together = beam_search(model, src, lengths, **options)
        for row in range(4):
            alone = beam_search(model, src[[row], : lengths[row]], lengths[[row]], **options)
            assert tokens(alone)[0] == tokens(together)[row]
            for h, e in zip(alone[0], together[row], strict=True):
                assert h.log_prob == pytest.approx(e.log_prob, abs=1e-4)  # float32


def test_the_n_best_prefer_the_lower_ids_whatever_comes_first():
    def output(token):
        total = torch.tensor([-1.0], dtype=torch.float64)
        ids = torch.tensor([[token]])
        return OpenOutputs(ids[0] * 0, ids, total[:, None], total, None, ids[0] * 0, None, "cpu")

    for order in ((4, 5), (5, 4)):
        best = NBest(1, 1, LengthPenalty())
        for token in order:
            best.add(output(token), finished=False)
        assert [h.tokens for h in best.best[0]] == [[4]]


# --- stopping


def test_a_search_stops_when_no_open_output_can_win():
    eager = HashModel(1, eos_bias=12.0)
    beam_search(eager, *sources(), num_beams=3, max_new_tokens=50)
    assert eager.steps == 1  # the end has probability near 1, nothing else can come near
    coin = HashModel()
    log_probs = torch.tensor([[0, 0, 0.6, 0, 0.4]]).log()
    coin.step = lambda tokens, state: (steps.append(1), (log_probs, state))[1]
    # Above 0 a longer output may win: the best case has the same log-probability over the largest
    # penalty. ln 0.6 / 1 = -0.511 is out of reach once n ln 0.4 / 50 is below it: n = 28.
    for exponent, expected in ((0.0, 1), (-1.0, 1), (1.0, 28)):
        steps = []
        beam_search(coin, *ONE, num_beams=1, max_new_tokens=50, length_penalty=exponent)
        assert len(steps) == expected
    # The prefix counts as length: (10 ln 0.4 + ln 0.6) / 11 is out of reach once n ln 0.4 / 60 is
    # below it, n = 58. The first 10 steps read the prefix.
    steps = []
    options = {"max_new_tokens": 50, "length_penalty": 1.0, "prefix": [A] * 10}
    beam_search(coin, *ONE, num_beams=1, **options)
    assert len(steps) == 58


def test_a_search_goes_on_while_the_last_of_n_best_can_be_beaten():
    tree = {BOS_ID: {EOS_ID: 0.5, A: 0.5}, A: {EOS_ID: 0.1, C: 0.9}, C: {EOS_ID: 1.0}}
    (found,) = beam_search(BigramModel(tree), *ONE, num_beams=2, n_best=2, max_new_tokens=9)
    assert tokens([found]) == [[[EOS_ID], [A, C, EOS_ID]]]


def test_the_bound_looks_at_the_longest_length_and_not_the_next():
    # "a•" ends early with a good mean; "bbbbbb•" has the better mean, but only at its end.
    sure = 0.999
    model = BigramModel(
        {
            BOS_ID: {A: 0.6, B: 0.4},
            A: {EOS_ID: sure, A: 1 - sure},
            B: {B: sure, EOS_ID: 1 - sure},
        }
    )
    options = {"max_new_tokens": 20, "length_penalty": 1.0}
    (exact,) = beam_search(model, *ONE, num_beams=2, **options)
    assert exact[0].tokens == [B] * 20
    (early,) = beam_search(model, *ONE, num_beams=2, early_stopping=True, **options)
    assert early[0].tokens != exact[0].tokens


def test_the_bound_looks_at_the_next_length_where_long_outputs_are_punished():
    # The end has p = 0.1 now and 1 after one more token: 2 ln 0.9 is better than ln 0.1, but
    # 50 ln 0.9, the score after all steps, would be worse.
    later = BigramModel({BOS_ID: {A: 0.9, EOS_ID: 0.1}, A: {EOS_ID: 1.0}})
    options = {"max_new_tokens": 50, "length_penalty": -1.0}
    (found,) = beam_search(later, *ONE, num_beams=2, **options)
    assert tokens([found]) == [[[A, EOS_ID]]]


def test_early_stopping_ends_at_num_beams_finished_outputs():
    for seed in range(10):
        model = HashModel(seed, eos_bias=1.0)
        (found,) = beam_search(
            model, *ONE, num_beams=3, n_best=3, max_new_tokens=40, early_stopping=True,
            length_penalty=1.0,
        )  # fmt: skip
        assert len(found) == 3 and all(h.finished for h in found)
        steps, model.steps = model.steps, 0
        beam_search(model, *ONE, num_beams=3, n_best=3, max_new_tokens=40, length_penalty=1.0)
        assert steps < model.steps


def test_a_sentence_that_is_done_leaves_the_batch():
    class Shy(HashModel):  # row 0 ends at once, row 1 never
        def start(self, src, src_lengths):
            state = super().start(src, src_lengths)
            state.key = torch.tensor([0, 1])
            return state

        def step(self, tokens, state):
            self.rows += len(tokens)
            scores = torch.full((len(tokens), 5), -5.0)
            scores[state.key == 0, EOS_ID] = 9.0
            scores[state.key == 1, EOS_ID] = -99.0
            return scores.log_softmax(1), state

    model, (src, lengths) = Shy(), sources(2)
    found = beam_search(model, src, lengths, num_beams=2, max_new_tokens=6)
    assert [len(f[0].tokens) for f in found] == [1, 6]
    assert model.rows == 2 + 5 * 2  # one open output each, then two of the second sentence


def test_open_outputs_have_the_full_width_again_after_some_end():
    class Watched(HashModel):
        def step(self, tokens, state):
            widths.append(len(tokens))
            return super().step(tokens, state)

    widths = []
    beam_search(Watched(3, eos_bias=1.0), *ONE, num_beams=4, n_best=4, max_new_tokens=8,
                length_penalty=2.0)  # fmt: skip
    assert widths == [1] + [4] * 7


# --- edges


def test_num_beams_may_exceed_the_vocabulary():
    model = HashModel(vocab_size=6)
    (found,) = beam_search(model, *ONE, num_beams=50, n_best=50, max_new_tokens=1)
    assert sorted(h.tokens[0] for h in found) == [2, 3, 4, 5]
    assert all(math.isfinite(h.score) for h in found)


def test_there_may_be_fewer_than_n_best_but_never_an_impossible_one():
    chain = BigramModel({BOS_ID: {A: 1.0}, A: {B: 0.5, EOS_ID: 0.5}, B: {EOS_ID: 1.0}})
    (found,) = beam_search(chain, *ONE, num_beams=6, n_best=6, max_new_tokens=9)
    assert tokens([found]) == [[[A, EOS_ID], [A, B, EOS_ID]]]


def test_an_output_that_cannot_go_on_counts_only_without_another():
    # "a" is probable and can only end, which is forbidden before two tokens.
    trap = BigramModel({BOS_ID: {A: 0.9, B: 0.1}, A: {EOS_ID: 1.0}, B: {B: 0.3, EOS_ID: 0.7}})
    options = {"max_new_tokens": 4, "min_new_tokens": 2}
    expected = [[[B, B, EOS_ID], [B, B, B, EOS_ID], [B, B, B, B]]]
    assert tokens(exhaustive_search(trap, *ONE, n_best=9, **options)) == expected
    assert tokens(beam_search(trap, *ONE, num_beams=9, n_best=9, **options)) == expected
    # With one beam there is no other, and something must come back.
    (stuck,) = beam_search(trap, *ONE, num_beams=1, **options)[0]
    assert stuck.tokens == [A] and not stuck.finished
    assert [[stuck]] == greedy_search(trap, *ONE, **options)


def test_a_stuck_sentence_does_not_disturb_its_neighbours():
    class Half(HashModel):  # row 0 may go nowhere after its first token
        def start(self, src, src_lengths):
            state = super().start(src, src_lengths)
            first = (src[:, :1] == 3).float()
            state.attention = torch.cat([first, 1 - first], 1)  # says which sentence it is
            return state

        def step(self, tokens, state):
            log_probs, new = super().step(tokens, state)
            new.attention = state.attention
            log_probs[(state.attention[:, 0] == 1) & (tokens != BOS_ID)] = NINF
            return log_probs, new

    src, lengths = torch.tensor([[3, 4], [5, 6]]), torch.tensor([2, 2])
    model, options = Half(2, eos_bias=-9.0), {"max_new_tokens": 4}
    for found in (
        beam_search(model, src, lengths, num_beams=3, **options),
        exhaustive_search(model, src, lengths, **options),
        greedy_search(model, src, lengths, **options),
    ):
        assert [len(some[0].tokens) for some in found] == [1, 4]
        assert all((h.attention[:, row] == 1).all() for row, (h,) in enumerate(found))


def test_exhaustive_search_refuses_what_would_not_fit():
    # 5 open outputs, then 25, and each has 6 continuations
    with pytest.raises(ValueError, match=r"would hold 150 outputs of length 3.*max_open = 149"):
        exhaustive_search(HashModel(vocab_size=8), *ONE, max_new_tokens=9, max_open=149)
    assert exhaustive_search(HashModel(vocab_size=8), *ONE, max_new_tokens=3, max_open=150)
    for max_open in (0, -1):
        with pytest.raises(ValueError, match="max_open must be ≥ 1"):
            exhaustive_search(TREE, *ONE, max_new_tokens=2, max_open=max_open)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beams": 0}, "num_beams must be ≥ 1"),
        ({"n_best": 0}, "n_best must be ≥ 1"),
        ({"n_best": 3}, "n_best must be ≤ num_beams, but 3 > 2"),
        ({"length_penalty": float("nan")}, "length_penalty must be in"),
        ({"length_penalty": float("inf")}, "length_penalty must be in"),
        ({"length_penalty": 11.0}, "length_penalty must be in"),
        ({"length_penalty_kind": "avg"}, "Unknown length_penalty_kind: 'avg'. Valid: 'plain'"),
    ],
)
def test_settings_of_a_beam_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        beam_search(TREE, *ONE, **{"num_beams": 2, "max_new_tokens": 3, **options})
    if "num_beams" not in options and options != {"n_best": 3}:
        with pytest.raises(ValueError, match=message):
            exhaustive_search(TREE, *ONE, **{"max_new_tokens": 3, **options})


@pytest.mark.parametrize(("exponent", "kind"), PENALTIES)
def test_the_bound_is_the_best_score_that_any_length_can_still_have(exponent, kind):
    penalty, total = LengthPenalty(exponent, kind), torch.tensor([-0.25, -3.0, 0.0])
    for length, longest in [(0, 1), (0, 6), (3, 4), (3, 9)]:
        scores = [penalty.score(total, more) for more in range(length + 1, longest + 1)]
        assert torch.equal(penalty.bound(total, length, longest), torch.stack(scores).amax(0))


def test_extreme_penalties_stay_finite():
    for exponent in (-10.0, 10.0):
        for kind in ("plain", "gnmt"):
            (found,) = beam_search(
                HashModel(), *ONE, num_beams=2, max_new_tokens=60, length_penalty=exponent,
                length_penalty_kind=kind,
            )  # fmt: skip
            assert math.isfinite(found[0].score)


def test_every_search_names_its_options_alike():
    beam = inspect.signature(beam_search).parameters
    for other in (greedy_search, exhaustive_search, best_first_search, sample, rescore):
        for name, parameter in inspect.signature(other).parameters.items():
            if name in beam and name != "n_best":
                assert parameter.default == beam[name].default and parameter.kind == beam[name].kind
    assert set(decoding.NEVER) == {PAD_ID, BOS_ID}
