"""Greedy search, sampling and rescoring: what they promise to any model with the protocol."""

import math
from collections import Counter
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seq2seq_lib.decoding import (
    Hypothesis,
    beam_search,
    exhaustive_search,
    greedy_search,
    length_penalty,
    rescore,
    sample,
)
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.toy_models import BigramModel, four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

NINF = float("-inf")
A, B, C = 4, 5, 6


@dataclass
class HashState:
    """A number for each row that depends on the source and on every token read so far."""

    key: torch.Tensor  # [N] int64
    width: int  # S
    attention: torch.Tensor | None = None  # [N, S]

    def select(self, rows):
        attention = None if self.attention is None else self.attention[rows]
        return HashState(self.key[rows], self.width, attention)


class HashModel:
    """A model without weights: random but fixed distributions for every source and prefix.

    It has the decoding protocol and nothing else. In float64 its numbers are the same however
    many rows it is asked for together, so that results can be compared exactly.
    """

    MODULUS = 2_147_483_647

    def __init__(self, seed=0, vocab_size=7, sharpness=3.0, eos_bias=0.0, attention=False):
        self.seed, self.vocab_size, self.sharpness = seed, vocab_size, sharpness
        self.eos_bias, self.attention = eos_bias, attention
        self.steps = self.rows = 0

    def start(self, src, src_lengths):
        key = torch.full((len(src),), 17 + self.seed, dtype=torch.int64)
        for position in range(src.size(1)):
            key = torch.where(position < src_lengths, self._read(key, src[:, position]), key)
        return HashState(key, src.size(1))

    def step(self, tokens, state):
        self.steps, self.rows = self.steps + 1, self.rows + len(tokens)
        key = self._read(state.key, tokens)  # [N]
        logits = self.sharpness * self._noise(key, self.vocab_size)
        logits[:, EOS_ID] += self.eos_bias
        weights = self._noise(key + 1, state.width).softmax(1) if self.attention else None
        return logits.log_softmax(1), HashState(key, state.width, weights)

    def _read(self, key, token):
        return (key * 48_271 + token * 1_299_709 + 11) % self.MODULUS

    def _noise(self, key, columns):
        mixed = (key[:, None] * (torch.arange(columns) * 7_919 + 104_729)) % self.MODULUS
        mixed = (mixed * 48_271) % self.MODULUS
        return mixed.double() / self.MODULUS * 2 - 1  # [N, columns] in -1 .. 1


TREE = four_letters()  # the search tree of chapter 7


def sources(batch=3, width=5, seed=0):
    """Sources [B, S] of different lengths, one full and one of length 1; no pads in disguise."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, width + 1, (batch,), generator=generator)
    lengths[0] = width
    lengths[-1] = 1 if batch > 1 else width
    src = torch.randint(3, 9, (batch, width), generator=generator)
    return src * (torch.arange(width) < lengths[:, None]), lengths


ONE = (torch.tensor([[5, EOS_ID]]), torch.tensor([2]))


def tokens(found):
    return [[h.tokens for h in hypotheses] for hypotheses in found]


def models(vocab_size=9):
    """Real models of every kind, with weights large enough to prefer some tokens."""
    kinds = [
        {"attention": "none"},
        {"attention": "general", "cell": "lstm"},
        {"attention": "dot", "num_layers": 2},
        {"attention": "additive", "attend_first": True, "cell": "lstm", "num_layers": 2},
    ]
    for seed, kind in enumerate(kinds):
        torch.manual_seed(seed)
        model = Seq2Seq(Seq2SeqConfig(10, vocab_size, 6, 8, dropout=0.5, **kind))
        for parameter in model.parameters():
            parameter.data *= 3
        yield model


SEARCHES = {
    "greedy": greedy_search,
    "sample": sample,
    "exhaustive": exhaustive_search,
    "beam": lambda *args, **options: beam_search(*args, num_beams=3, **options),
}
each_search = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())


# --- greedy search


def test_greedy_search_takes_the_most_probable_token_each_time():
    (best,) = greedy_search(TREE, *ONE, max_new_tokens=4)[0]
    assert best.tokens == [A, C, B, EOS_ID] and best.finished
    assert math.exp(best.log_prob) == pytest.approx(0.40 * 0.36 * 0.35 * 0.45, rel=1e-6)
    expected = [math.log(p) for p in (0.40, 0.36, 0.35, 0.45)]
    assert best.token_log_probs == pytest.approx(expected, rel=1e-6)


def test_greedy_search_equals_a_slow_loop():
    for seed in range(20):
        model, (src, lengths) = HashModel(seed, eos_bias=2.0), sources(4, seed=seed)
        found = greedy_search(model, src, lengths, max_new_tokens=8)
        for row, (hypothesis,) in enumerate(found):
            state, last, expected = model.start(src[[row]], lengths[[row]]), BOS_ID, []
            while len(expected) < 8 and last != EOS_ID:
                log_probs, state = model.step(torch.tensor([last]), state)
                log_probs[:, [PAD_ID, BOS_ID]] = NINF
                last = int(log_probs[0].argmax())
                expected.append((last, log_probs[0, last].item()))
            # float64 in, float64 out
            assert list(zip(hypothesis.tokens, hypothesis.token_log_probs, strict=True)) == expected
            assert hypothesis.finished == (last == EOS_ID)


def test_equally_probable_tokens_go_to_the_lowest_id():
    even = BigramModel({last: dict.fromkeys(range(7), 1 / 7) for last in range(7)})
    for search in (greedy_search, lambda *a, **o: beam_search(*a, num_beams=1, **o)):
        assert tokens(search(even, *ONE, max_new_tokens=3, banned_ids=[0, 1])) == [[[EOS_ID]]]
        assert tokens(search(even, *ONE, max_new_tokens=3, banned_ids=[0, 1, 2])) == [[[3, 3, 3]]]


# --- promises of all searches


@each_search
def test_the_log_probability_is_the_sum_of_its_tokens(search):
    for hypotheses in search(HashModel(3), *sources(), max_new_tokens=4):
        for h in hypotheses:
            assert len(h.token_log_probs) == len(h.tokens)
            assert h.log_prob == pytest.approx(math.fsum(h.token_log_probs), abs=1e-12)
            assert h.score == h.log_prob


@each_search
def test_nothing_follows_the_end(search):
    for seed in range(10):
        model = HashModel(seed, eos_bias=1.0)
        for hypotheses in search(model, *sources(seed=seed), max_new_tokens=5):
            for h in hypotheses:
                assert EOS_ID not in h.tokens[:-1]
                assert h.finished == (h.tokens[-1] == EOS_ID)
                assert h.finished or len(h.tokens) == 5


@each_search
def test_pad_and_bos_are_never_chosen_unless_allowed(search):
    row = {PAD_ID: 0.5, BOS_ID: 0.3, A: 0.15, EOS_ID: 0.05}
    model = BigramModel({PAD_ID: row, BOS_ID: row, A: row})
    for h in search(model, *ONE, max_new_tokens=5)[0]:
        assert not {PAD_ID, BOS_ID} & set(h.tokens)
    if search is not sample:
        assert search(model, *ONE, max_new_tokens=3, banned_ids=[])[0][0].tokens == [0, 0, 0]


@each_search
def test_max_new_tokens_of_one_gives_one_token(search):
    for hypotheses in search(HashModel(1), *sources(), max_new_tokens=1):
        assert [len(h.tokens) for h in hypotheses] == [1] * len(hypotheses) != []


@each_search
def test_min_new_tokens_come_before_the_end(search):
    eager = HashModel(2, eos_bias=20.0)  # ends at once if it may
    for hypotheses in search(eager, *sources(), max_new_tokens=4, min_new_tokens=2):
        assert len(hypotheses[0].tokens) == 3 and hypotheses[0].finished
    for hypotheses in search(eager, *sources(), max_new_tokens=3, min_new_tokens=3):
        assert len(hypotheses[0].tokens) == 3 and not hypotheses[0].finished


@each_search
def test_the_prefix_is_forced_and_scored_and_not_counted(search):
    model, (src, lengths) = HashModel(4), sources()
    found = search(model, src, lengths, max_new_tokens=2, min_new_tokens=1, prefix=[5, 3, 5])
    for row, hypotheses in enumerate(found):
        for h in hypotheses:
            assert h.tokens[:3] == [5, 3, 5] and len(h.tokens) == 5
            one = slice(row, row + 1)
            (again,) = rescore(model, src[one], lengths[one], [[h.tokens]])[0]
            assert h.token_log_probs == pytest.approx(again.token_log_probs, abs=1e-12)


def ngrams(ids, n):
    return [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]


@each_search
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_ngram_occurs_twice_also_not_one_of_the_prefix(search, n):
    repeats = HashModel(5, vocab_size=6, eos_bias=-9.0, sharpness=1.0)
    options = {"max_new_tokens": 5, "no_repeat_ngram_size": n}
    for prefix in ([], [3, 4, 3], [5, 4]):
        for hypotheses in search(repeats, *sources(), prefix=prefix, **options):
            for h in hypotheses:
                grams = ngrams(h.tokens, n)
                inside = len(ngrams(prefix, n))  # what the prefix itself repeats cannot be helped
                assert not set(grams[:inside]) & set(grams[inside:])
                assert len(grams[inside:]) == len(set(grams[inside:]))


def test_a_ban_on_repeats_changes_the_output():
    loop = BigramModel({BOS_ID: {A: 1.0}, A: {A: 0.8, B: 0.2}, B: {EOS_ID: 1.0}})
    assert tokens(greedy_search(loop, *ONE, max_new_tokens=4)) == [[[A, A, A, A]]]
    once = greedy_search(loop, *ONE, max_new_tokens=4, no_repeat_ngram_size=1)
    assert tokens(once) == [[[A, B, EOS_ID]]]
    after = greedy_search(loop, *ONE, max_new_tokens=4, no_repeat_ngram_size=2, prefix=[A, A])
    assert tokens(after) == [[[A, A, B, EOS_ID]]]


@each_search
def test_a_banned_end_still_gives_a_hypothesis(search):
    for hypotheses in search(HashModel(6), *sources(), max_new_tokens=3, banned_ids=[0, 1, EOS_ID]):
        assert len(hypotheses[0].tokens) == 3 and not hypotheses[0].finished


@each_search
def test_an_output_that_cannot_go_on_ends_there(search):
    everything = list(range(7))
    (found,) = search(TREE, *ONE, max_new_tokens=3, banned_ids=everything)
    assert [(h.tokens, h.log_prob, h.score, h.finished) for h in found] == [([], 0.0, 0.0, False)]
    (found,) = search(TREE, *ONE, max_new_tokens=3, banned_ids=everything, prefix=[A, B])
    assert tokens([found]) == [[[A, B]]]
    # three ordinary tokens, none twice, and no end
    options = {"banned_ids": [0, 1, EOS_ID], "no_repeat_ngram_size": 1}
    (found,) = search(HashModel(1, vocab_size=6), *ONE, max_new_tokens=5, **options)
    assert found and all(sorted(h.tokens) == [3, 4, 5] and not h.finished for h in found)


@each_search
def test_bans_do_not_change_log_probabilities(search):
    model, (src, lengths) = HashModel(7), sources()
    options = {"banned_ids": [0, 1, 4], "no_repeat_ngram_size": 2, "min_new_tokens": 1}
    found = search(model, src, lengths, max_new_tokens=4, **options)
    for ours, again in zip(found, rescore(model, src, lengths, tokens(found)), strict=True):
        for h, expected in zip(ours, again, strict=True):
            assert h.token_log_probs == pytest.approx(expected.token_log_probs, abs=1e-12)


@pytest.mark.parametrize("name", ["greedy", "exhaustive", "beam"])  # draws are shared by a batch
def test_a_batch_equals_its_sentences_one_by_one(name):
    for seed in range(10):
        model, (src, lengths) = HashModel(seed, eos_bias=1.0, attention=True), sources(seed=seed)
        src[src == 0] = 8  # what stands after the end must not matter
        together = SEARCHES[name](model, src, lengths, max_new_tokens=4)
        for row in range(3):
            one = slice(row, row + 1)
            (alone,) = SEARCHES[name](model, src[one], lengths[one], max_new_tokens=4)
            assert alone == together[row]
            for a, b in zip(alone, together[row], strict=True):
                assert torch.equal(a.attention, b.attention)


@each_search
@pytest.mark.parametrize("prefix", [[], [4, 3]])
def test_attention_has_one_row_a_token(search, prefix):
    model, (src, lengths) = HashModel(8, attention=True, eos_bias=1.0), sources()
    found = search(model, src, lengths, max_new_tokens=4, prefix=prefix)
    for row, hypotheses in enumerate(found):
        for h in hypotheses:
            assert h.attention.shape == (len(h.tokens), src.size(1))
            state = model.start(src[[row]], lengths[[row]])
            for t, token in enumerate([BOS_ID, *h.tokens[:-1]]):
                _, state = model.step(torch.tensor([token]), state)
                assert torch.equal(h.attention[t], state.attention[0])


@each_search
def test_attention_of_an_empty_output_is_empty(search):
    (h,) = search(HashModel(attention=True), *ONE, max_new_tokens=2, banned_ids=list(range(7)))[0]
    assert h.tokens == [] and h.attention.shape == (0, 2)


@each_search
def test_a_model_without_attention_gives_none(search):
    assert search(TREE, *ONE, max_new_tokens=2)[0][0].attention is None


@each_search
def test_dropout_is_off_and_every_module_gets_its_mode_back(search):
    for model in models(vocab_size=6):
        model.train()
        model.encoder.eval()  # frozen, for example
        modes = [m.training for m in model.modules()]
        src, lengths = sources()

        def run(model=model, src=src, lengths=lengths):
            extra = {"generator": torch.Generator().manual_seed(0)} if search is sample else {}
            return search(model, src, lengths, max_new_tokens=3, **extra)

        assert run() == run()
        assert [m.training for m in model.modules()] == modes
        model.eval()
        model.decoder.dropout.train()
        assert run() == run()
        assert model.decoder.dropout.training and not model.training


@each_search
def test_the_mode_comes_back_after_an_exception(search):
    class Broken(nn.Module):
        def start(self, src, src_lengths):
            raise KeyboardInterrupt

    model = Broken()
    with pytest.raises(KeyboardInterrupt):
        search(model, *ONE, max_new_tokens=2)
    assert model.training and torch.is_grad_enabled()


@each_search
def test_search_needs_no_gradient(search):
    class Watched(HashModel):
        def step(self, tokens, state):
            assert not torch.is_grad_enabled()
            return super().step(tokens, state)

    assert search(Watched(), *ONE, max_new_tokens=2)
    assert torch.is_grad_enabled()


@each_search
def test_half_precision_log_probabilities_are_accepted(search):
    class Half(HashModel):
        def step(self, tokens, state):
            log_probs, state = super().step(tokens, state)
            return log_probs.to(torch.bfloat16), state

    for h in search(Half(), *ONE, max_new_tokens=3)[0]:
        assert h.log_prob == pytest.approx(math.fsum(h.token_log_probs), abs=1e-12)


# --- refusals


def returns(log_probs):
    model = HashModel()
    model.step = lambda tokens, state: (log_probs, state)
    return model


@each_search
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens must be ≥ 1"),
        ({"max_new_tokens": -3}, "max_new_tokens must be ≥ 1"),
        ({"min_new_tokens": -1}, r"min_new_tokens must be in 0 .. max_new_tokens = 3"),
        ({"min_new_tokens": 4}, "min_new_tokens must be in"),
        ({"no_repeat_ngram_size": 0}, "no_repeat_ngram_size must be ≥ 1"),
        ({"prefix": [4, EOS_ID]}, "prefix must not hold EOS"),
        ({"prefix": [4, 7]}, r"prefix must hold ids in 0 .. 6, but one is 7"),
        ({"prefix": [-1]}, r"prefix must hold ids in 0 .. 6, but one is -1"),
        ({"banned_ids": [7]}, "0 .. 6"),
        ({"banned_ids": [-1]}, "0 .. 6"),
    ],
)
def test_values_out_of_range_are_refused(search, options, message):
    with pytest.raises(ValueError, match=message):
        search(HashModel(), *ONE, **{"max_new_tokens": 3, **options})


@each_search
@pytest.mark.parametrize(
    "options",
    [
        {"max_new_tokens": 2.0},
        {"min_new_tokens": 1.0},
        {"min_new_tokens": True},
        {"no_repeat_ngram_size": 2.0},
        {"prefix": [4.0]},
        {"prefix": [True]},
        {"banned_ids": [3.5]},
    ],
)
def test_values_of_another_type_are_refused(search, options):
    with pytest.raises(TypeError):
        search(HashModel(), *ONE, **{"max_new_tokens": 3, **options})


@each_search
def test_an_empty_batch_is_refused(search):
    empty = torch.empty(0, 4, dtype=torch.int64)
    with pytest.raises(ValueError, match="src has no rows"):
        search(HashModel(), empty, torch.empty(0, dtype=torch.int64), max_new_tokens=2)
    with pytest.raises(ValueError, match="src has 3 rows, but src_lengths has 2"):
        search(HashModel(), sources()[0], torch.tensor([1, 2]), max_new_tokens=2)


@each_search
@pytest.mark.parametrize(
    ("log_probs", "message"),
    [
        (torch.full((1, 7), NINF).index_fill(1, torch.tensor(3), float("nan")), "NaN"),
        (torch.randn(1, 7, generator=torch.Generator().manual_seed(1)) + 3, "at most 0"),
        (torch.full((1, 7), float("inf")), "at most 0"),
        (torch.zeros(7), r"\[N, V\] with N = 1"),
        (torch.zeros(2, 7), r"\[N, V\] with N = 1"),
        (torch.zeros(1, 1, 7), r"\[N, V\] with N = 1"),
        (torch.zeros(1, EOS_ID), "V > 2"),
    ],
)
def test_what_a_model_must_not_return_is_refused(search, log_probs, message):
    with pytest.raises(ValueError, match=message):
        search(returns(log_probs), *ONE, max_new_tokens=2)


@each_search
@pytest.mark.parametrize("state", [torch.zeros(1, 5), (torch.zeros(1, 5),), None])
def test_a_state_without_a_select_of_rows_is_refused(search, state):
    model = HashModel()
    model.start = lambda src, src_lengths: state
    with pytest.raises(TypeError, match=r"must return a state with select\(rows\)"):
        search(model, *ONE, max_new_tokens=2)


@each_search
def test_log_probabilities_must_be_floats(search):
    for wrong in (torch.zeros(1, 7, dtype=torch.int64), [[0.0] * 7]):
        with pytest.raises(TypeError, match="as floats"):
            search(returns(wrong), *ONE, max_new_tokens=2)


# --- sampling


def chi_square(counts, probabilities, total):
    return sum((counts[k] - total * p) ** 2 / (total * p) for k, p in probabilities.items())


def distribution(temperature=1.0, keep=(A, B, C, EOS_ID)):
    weights = {k: p ** (1 / temperature) for k, p in
               {A: 0.40, B: 0.25, C: 0.30, EOS_ID: 0.05}.items() if k in keep}  # fmt: skip
    return {k: w / sum(weights.values()) for k, w in weights.items()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, distribution()),
        ({"temperature": 0.6}, distribution(0.6)),
        ({"temperature": 2.5}, distribution(2.5)),
        ({"top_k": 2}, distribution(keep=(A, C))),
        ({"top_p": 0.6}, distribution(keep=(A, C))),
        # T = 0.4 makes a and c alone reach 0.75 (0.56 + 0.27): first T, then p
        ({"temperature": 0.4, "top_p": 0.75}, distribution(0.4, keep=(A, C))),
        ({"temperature": 3.0, "top_k": 3, "top_p": 0.99}, distribution(3.0, keep=(A, B, C))),
        ({"min_p": 0.7}, distribution(keep=(A, C))),
    ],
)
def test_samples_follow_the_distribution(options, expected):
    total = 20_000
    found = sample(
        TREE, *ONE, max_new_tokens=1, num_samples=total,
        generator=torch.Generator().manual_seed(0), **options,
    )  # fmt: skip
    counts = Counter(h.tokens[0] for h in found[0])
    assert set(counts) == set(expected)
    # Exceeded by chance once in a thousand seeds with 3 degrees of freedom; the seed is fixed.
    assert chi_square(counts, expected, total) < 16.3


def test_whole_outputs_follow_the_distribution():
    total = 20_000
    generator = torch.Generator().manual_seed(1)
    (found,) = sample(TREE, *ONE, max_new_tokens=3, num_samples=total, generator=generator)
    counts = Counter(tuple(h.tokens) for h in found)
    (every,) = exhaustive_search(TREE, *ONE, max_new_tokens=3, n_best=None)
    expected = {tuple(h.tokens): math.exp(h.log_prob) for h in every}
    assert sum(expected.values()) == pytest.approx(1.0) and len(expected) == 40
    assert chi_square(counts, expected, total) < 72.1  # 39 degrees of freedom, once in a thousand


def test_a_sample_keeps_the_log_probability_of_the_model():
    generator = torch.Generator().manual_seed(2)
    options = {"temperature": 0.3, "top_k": 3, "top_p": 0.9, "generator": generator}
    (found,) = sample(TREE, *ONE, max_new_tokens=4, num_samples=50, **options)
    (again,) = rescore(TREE, *ONE, [[h.tokens for h in found]])
    assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in again])


def test_top_k_of_one_is_greedy_search():
    model, source = HashModel(9), sources(4)
    expected = greedy_search(model, *source, max_new_tokens=6)
    assert sample(model, *source, max_new_tokens=6, top_k=1) == expected
    assert sample(model, *source, max_new_tokens=6, top_p=1e-9) == expected
    assert sample(model, *source, max_new_tokens=6, temperature=1e-6) == expected


def test_samples_are_a_function_of_the_generator():
    def draw(seed):
        generator = torch.Generator().manual_seed(seed)
        return sample(HashModel(), *sources(), max_new_tokens=4, num_samples=5, generator=generator)

    assert draw(1) == draw(1) != draw(2)
    before = torch.get_rng_state()
    draw(1)
    assert torch.equal(before, torch.get_rng_state())  # the global one is not touched


def test_samples_are_sorted_and_all_there():
    generator = torch.Generator().manual_seed(4)
    found = sample(
        HashModel(eos_bias=2.0), *sources(4), max_new_tokens=5, num_samples=30, generator=generator
    )
    for hypotheses in found:
        assert len(hypotheses) == 30
        assert [h.score for h in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        assert len({tuple(h.tokens) for h in hypotheses}) > 10


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": float("nan")},
        {"min_p": 1.5},
        {"top_k": 0},
        {"num_samples": 0},
    ],
)
def test_settings_of_sampling_out_of_range_are_refused_before_the_model_runs(options):
    model = HashModel()
    with pytest.raises(ValueError):
        sample(model, *ONE, max_new_tokens=2, **options)
    assert model.steps == 0


# --- rescoring


def test_rescoring_equals_the_search_for_every_kind_of_model():
    for model in models():
        src, lengths = sources(3, 5)
        found = beam_search(model, src, lengths, num_beams=4, n_best=4, max_new_tokens=6)
        again = rescore(model, src, lengths, tokens(found))
        for hypotheses, expected in zip(found, again, strict=True):
            for h, e in zip(hypotheses, expected, strict=True):
                assert h.tokens == e.tokens and h.finished == e.finished
                # float32 sums in another order, as other rows share the batch
                assert h.token_log_probs == pytest.approx(e.token_log_probs, abs=1e-4)
                assert h.log_prob == pytest.approx(e.log_prob, abs=1e-4)
                assert (h.attention is None) == (model.config.attention == "none")
                if h.attention is not None:
                    torch.testing.assert_close(h.attention, e.attention, atol=1e-4, rtol=0)


def test_rescoring_equals_the_teacher_forced_pass():
    from seq2seq_lib.batching import Batch

    for model in models():
        model.eval()
        src, lengths = sources(3, 5)
        outputs = [[3, 8, 5, EOS_ID], [4, 4, 4, 4], [7, 7, 3, EOS_ID]]
        out = torch.tensor(outputs)
        tgt_in = torch.cat([torch.full((3, 1), BOS_ID), out[:, :-1]], 1)
        batch = Batch(src, lengths, tgt_in, out, torch.tensor([4, 4, 4]))
        expected = model(batch).log_softmax(-1).gather(-1, out.unsqueeze(-1)).squeeze(-1)
        found = rescore(model, src, lengths, [[o] for o in outputs])
        for row, (h,) in enumerate(found):
            assert h.token_log_probs == pytest.approx(expected[row].tolist(), abs=1e-5)


def test_rescoring_keeps_the_order_and_takes_outputs_of_any_length():
    model, (src, lengths) = HashModel(2, attention=True), sources(4)
    outputs = [[[4, 5, EOS_ID], [3]], [], [[EOS_ID], [6, 6, 6, 6, 6], [6, EOS_ID]], [[4], [4]]]
    found = rescore(model, src, lengths, outputs, length_penalty=0.7)
    assert tokens(found) == outputs
    assert [[h.finished for h in some] for some in found] == [
        [True, False], [], [True, False, True], [False, False],
    ]  # fmt: skip
    for row, some in enumerate(found):
        for h in some:
            one = slice(row, row + 1)
            assert rescore(model, src[one], lengths[one], [[h.tokens]], length_penalty=0.7) == [[h]]
            assert h.score == pytest.approx(h.log_prob / len(h.tokens) ** 0.7)
            assert h.attention.shape == (len(h.tokens), src.size(1))
    assert rescore(model, src, lengths, [[], [], [], []]) == [[], [], [], []]


def test_rescoring_reads_all_outputs_together():
    model = HashModel()
    rescore(model, *sources(), [[[4, 5, 6]] * 7, [[4, EOS_ID]] * 5, [[3]]])
    assert model.steps == 3  # the length of the longest
    assert model.rows == 13 + 12 + 7  # an output that has ended is read no further


def test_an_impossible_output_has_log_probability_minus_infinity():
    (h,) = rescore(TREE, *ONE, [[[A, 3, EOS_ID]]])[0]
    assert h.log_prob == NINF and h.token_log_probs[0] == pytest.approx(math.log(0.4))


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([[[]]], "Sentence 0 has an empty output"),
        ([[[4, EOS_ID, 4]]], "EOS may only be the last token"),
        ([[[4, 9]]], r"outputs must hold ids in 0 .. 6, but one is 9"),
        ([[[-1]]], r"outputs must hold ids in 0 .. 6, but one is -1"),
        ([[[4]], [[4]]], "outputs must have one list a sentence: 1, not 2"),
        ([], "outputs must have one list a sentence: 1, not 0"),
    ],
)
def test_outputs_that_cannot_be_rescored_are_refused(outputs, message):
    with pytest.raises(ValueError, match=message):
        rescore(HashModel(), *ONE, outputs)


def test_rescoring_refuses_other_types_and_empty_batches():
    with pytest.raises(TypeError, match="outputs must hold integer ids"):
        rescore(HashModel(), *ONE, [[[4.0]]])
    with pytest.raises(ValueError, match="src has no rows"):
        rescore(HashModel(), ONE[0][:0], ONE[1][:0], [])
    with pytest.raises(ValueError, match="length_penalty"):
        rescore(HashModel(), *ONE, [[[4]]], length_penalty=float("nan"))


# --- the length penalty and the hypothesis


def test_length_penalty_follows_its_two_formulas():
    assert length_penalty(7, 0.0) == length_penalty(7, 0.0, "gnmt") == 1.0
    assert length_penalty(8, 0.5) == pytest.approx(math.sqrt(8))
    assert length_penalty(7, 2.0, "gnmt") == pytest.approx(4.0)  # ((5 + 7) / 6) ** 2
    assert length_penalty(1, 0.9, "gnmt") == 1.0
    with pytest.raises(ValueError, match=r"Valid: 'plain', 'gnmt'"):
        length_penalty(3, 0.5, "average")
    with pytest.raises(ValueError, match="length must be ≥ 1"):
        length_penalty(0, -0.5)


@given(
    log_prob=st.floats(-80, -1e-3),
    short=st.integers(1, 30),
    more=st.integers(1, 30),
    low=st.floats(-3, 3),
    rise=st.floats(0.01, 3),
    kind=st.sampled_from(["plain", "gnmt"]),
)
def test_a_larger_exponent_never_favours_the_shorter(log_prob, short, more, low, rise, kind):
    def lead(exponent):  # of the longer over the shorter, as a ratio of scores
        return length_penalty(short + more, exponent, kind) / length_penalty(short, exponent, kind)

    assert lead(low + rise) > lead(low)
    assert log_prob / length_penalty(short + more, 0.5, kind) > log_prob / length_penalty(
        short, 0.5, kind
    )


def test_hypotheses_compare_by_value_and_cannot_be_changed():
    h = Hypothesis([4, 2], -1.0, -0.5, [-0.4, -0.6], torch.zeros(2, 3))
    assert h == replace(h, attention=None) and h != replace(h, score=-1.0)
    with pytest.raises(AttributeError):
        h.score = 0.0


@pytest.mark.parametrize("exponent", [10.5, -10.5])
def test_an_exponent_beyond_ten_is_refused_and_ten_is_not(exponent):
    def search(value):
        return beam_search(
            HashModel(vocab_size=6),
            torch.tensor([[4, 2]]),
            torch.tensor([2]),
            num_beams=2,
            max_new_tokens=3,
            length_penalty=value,
        )

    assert search(math.copysign(10.0, exponent))
    with pytest.raises(ValueError, match="length_penalty must be in -10 .. 10"):
        search(exponent)


def test_a_hypothesis_prints_without_its_attention():
    shown = Hypothesis([4, 2], -1.0, -1.0, [-0.5, -0.5], attention=torch.ones(2, 3))
    assert "attention" not in repr(shown)


@each_search
@pytest.mark.parametrize("prefix", [[BOS_ID], [BOS_ID, A], [0]])
def test_a_prefix_is_a_part_of_the_output(search, prefix):
    with pytest.raises(ValueError, match="begins with the first word"):
        search(TREE, *ONE, max_new_tokens=3, prefix=prefix)


@each_search
def test_an_impossible_prefix_is_refused(search):
    loop = BigramModel({BOS_ID: {A: 1.0}, A: {A: 0.8, B: 0.2}, B: {EOS_ID: 1.0}})
    with pytest.raises(ValueError, match=rf"impossible: after \[{A}, {B}\] .* {A} .* sentence 0"):
        search(loop, *ONE, max_new_tokens=3, prefix=[A, B, A])


@each_search
def test_bans_and_prefix_may_be_read_once(search):
    options = {"max_new_tokens": 4, "min_new_tokens": 4}
    found = []
    for read in (iter, list):
        torch.manual_seed(0)  # of draws
        bans = {"banned_ids": read([0, 1, 2]), "prefix": read([3])}
        found.append(tokens(search(HashModel(6), *sources(), **bans, **options)))
    assert found[0] == found[1]
    assert not {0, 1, 2} & {t for sentence in found[0] for output in sentence for t in output}


def test_one_output_instead_of_a_list_of_them_is_refused():
    with pytest.raises(TypeError, match="one more pair"):
        rescore(TREE, *ONE, [[A, B, EOS_ID]])
