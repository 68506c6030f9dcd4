"""The filters against slow loops that anyone can read, and against the table of known facts."""

import itertools
import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seq2seq_lib.filters import (
    apply_temperature,
    ban_repeated_ngrams,
    ban_tokens,
    min_p_filter,
    top_k_filter,
    top_p_filter,
)

INF = float("inf")
FILTERS = {  # every filter at a setting that does something, as a function of log_probs [N, V]
    "temperature": lambda lp: apply_temperature(lp, 0.7),
    "top_k": lambda lp: top_k_filter(lp, 2),
    "top_p": lambda lp: top_p_filter(lp, 0.6),
    "min_p": lambda lp: min_p_filter(lp, 0.4),
    "ban": lambda lp: ban_tokens(lp, [1, 3]),
    "ngrams": lambda lp: ban_repeated_ngrams(lp, torch.tensor([[2, 3, 2]]).repeat(len(lp), 1), 2),
}
RENORMALISING = ("temperature", "top_k", "top_p", "min_p")
every_filter = pytest.mark.parametrize("name", FILTERS)


def log_probs_of(*probs, dtype=torch.float32):
    return torch.tensor(probs, dtype=dtype).log()


def random_log_probs(*shape, seed, banned=0.0, scale=3.0, dtype=torch.float32):
    """Random distributions, some entries impossible; each row keeps at least one token."""
    generator = torch.Generator().manual_seed(seed)
    scores = scale * torch.randn(*shape, generator=generator)
    impossible = torch.rand(*shape, generator=generator) < banned
    impossible[..., seed % shape[-1]] = False
    return scores.masked_fill(impossible, -INF).log_softmax(dim=-1).to(dtype)


# --- slow specifications -------------------------------------------------------------------------


def renormalised(row, kept):
    total = sum(math.exp(row[i]) for i in kept)
    return [row[i] - math.log(total) if i in kept else -INF for i in range(len(row))]


def best_first(row):
    return sorted((i for i in range(len(row)) if row[i] > -INF), key=lambda i: (-row[i], i))


def slow_temperature(row, temperature):
    powers = [math.exp(x) ** (1 / temperature) for x in row]
    return [math.log(q / sum(powers)) if q > 0 else -INF for q in powers]


def slow_top_k(row, k):
    return renormalised(row, best_first(row)[:k])


def slow_top_p(row, p):
    kept, mass = [], 0.0
    for i in best_first(row):
        kept.append(i)
        mass += math.exp(row[i])
        if mass >= p - 1e-6:
            break
    return renormalised(row, kept)


def slow_banned_ngrams(prefix, n, vocab_size, pad_id=0):
    prefix = [token for token in prefix if token != pad_id]
    seen = {tuple(prefix[i : i + n]) for i in range(len(prefix) - n + 1)}
    context = prefix[len(prefix) - (n - 1) :] if n > 1 else []
    if len(prefix) < n - 1:
        return set()
    return {v for v in range(vocab_size) if (*context, v) in seen}


def assert_same(actual, rows, atol=2e-6):
    """Finite entries close, infinite ones at the same places.

    2e-6: one float32 log-softmax against float64 arithmetic on values up to about 20.
    """
    expected = torch.tensor(rows, dtype=torch.float64).view_as(actual)
    torch.testing.assert_close(actual.double(), expected, atol=atol, rtol=1e-6)


# --- temperature ---------------------------------------------------------------------------------


def test_temperature_half_squares_the_odds():
    q = apply_temperature(log_probs_of(0.8, 0.2), 0.5).exp()
    torch.testing.assert_close(q, torch.tensor([16 / 17, 1 / 17]))  # .941, .059


def test_temperature_equals_powers_of_probabilities():
    log_probs = random_log_probs(5, 3, 7, seed=1, banned=0.2)
    for temperature in (0.3, 1, 1.0, 2.5):
        expected = [
            slow_temperature(row, temperature) for row in log_probs.double().view(-1, 7).tolist()
        ]
        assert_same(apply_temperature(log_probs, temperature), expected, atol=1e-5)


def test_temperature_one_gives_the_distribution_back():
    log_probs = random_log_probs(4, 6, seed=2)
    torch.testing.assert_close(apply_temperature(log_probs, 1.0), log_probs)


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-45, 1e-320])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_tiny_temperature_is_the_argmax_and_ties_share(temperature, dtype):
    log_probs = torch.tensor([[-0.5, -3.0, -1.0], [-2.0, -1.0, -1.0], [-INF, -9.0, -INF]])
    q = apply_temperature(log_probs.to(dtype), temperature).exp()
    expected = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5], [0, 1, 0]], dtype=dtype)
    torch.testing.assert_close(q, expected)


@pytest.mark.parametrize("temperature", [1e6, 1e38, 1e300, 10**400])
def test_huge_temperature_is_uniform_over_possible_tokens(temperature):
    log_probs = torch.tensor([-0.1, -INF, -4.0, -2.0])
    q = apply_temperature(log_probs, temperature).exp()
    torch.testing.assert_close(q, torch.tensor([1, 0, 1, 1]) / 3, atol=1e-5, rtol=0)


def test_temperature_accepts_logits():
    log_probs = random_log_probs(3, 5, seed=3)
    torch.testing.assert_close(
        apply_temperature(log_probs + 40.0, 0.6),
        apply_temperature(log_probs, 0.6),
        atol=2e-5,
        rtol=0,
    )


@pytest.mark.parametrize("temperature", [0.0, 0, -1.0, INF, -INF, float("nan")])
def test_temperature_out_of_range_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature must be > 0 and finite, but it is .*greedy"):
        apply_temperature(log_probs_of(0.5, 0.5), temperature)


@pytest.mark.parametrize("temperature", [None, "1", True, torch.tensor(1.0)])
def test_temperature_must_be_a_number(temperature):
    with pytest.raises(TypeError, match="temperature must be a number"):
        apply_temperature(log_probs_of(0.5, 0.5), temperature)


# --- top-k ---------------------------------------------------------------------------------------


def test_top_k_keeps_the_best_and_renormalises():
    q = top_k_filter(log_probs_of(0.1, 0.4, 0.2, 0.3), 2).exp()
    torch.testing.assert_close(q, torch.tensor([0, 4 / 7, 0, 3 / 7]))


def test_top_k_keeps_exactly_k_of_tied_tokens_the_lowest_ids():
    kept = top_k_filter(torch.zeros(2, 5), 2) > -INF
    assert kept.tolist() == [[True, True, False, False, False]] * 2


def test_top_1_is_greedy_even_when_tied():
    kept = top_k_filter(torch.tensor([-3.0, -1.0, -1.0, -2.0]), 1)
    assert kept.tolist() == [-INF, 0.0, -INF, -INF]


@pytest.mark.parametrize("k", [6, 7, 10**9])
def test_top_k_of_the_vocabulary_or_more_keeps_everything(k):
    log_probs = random_log_probs(3, 6, seed=4)
    torch.testing.assert_close(top_k_filter(log_probs, k), log_probs)


def test_top_k_does_not_revive_impossible_tokens():
    kept = top_k_filter(torch.tensor([-INF, -1.0, -INF, -2.0]), 3) > -INF
    assert kept.tolist() == [False, True, False, True]


@pytest.mark.parametrize("k", [0, -1])
def test_top_k_below_one_is_refused(k):
    with pytest.raises(ValueError, match=f"k must be ≥ 1, but it is {k}"):
        top_k_filter(log_probs_of(0.5, 0.5), k)


@pytest.mark.parametrize("k", [1.0, True, "2", None])
def test_top_k_must_be_an_int(k):
    with pytest.raises(TypeError, match="k must be an integer"):
        top_k_filter(log_probs_of(0.5, 0.5), k)


# --- top-p ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "kept"),
    [
        (1e-320, 1), (1e-9, 1), (0.3, 1), (0.5, 1), (0.51, 2), (0.6, 2), (0.8, 2), (0.81, 3),
        (0.95, 3), (0.96, 4), (0.99999999, 4), (1, 4), (1.0, 4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_top_p_keeps_the_token_that_crosses_p(p, kept, dtype):
    probs = (0.15, 0.5, 0.05, 0.3)
    q = top_p_filter(log_probs_of(*probs, dtype=dtype), p).exp()
    expected = [x if x in sorted(probs)[-kept:] else 0.0 for x in probs]
    total = sum(expected)
    torch.testing.assert_close(q, torch.tensor([x / total for x in expected], dtype=dtype))


def test_top_p_of_one_keeps_a_tail_that_rounds_away():
    log_probs = torch.tensor([0.0] + [-20.0] * 9)
    assert (top_p_filter(log_probs, 1.0) > -INF).all()


def test_top_p_is_a_share_of_what_is_possible():
    banned = ban_tokens(log_probs_of(0.5, 0.3, 0.15, 0.05), [0])  # left: .6, .3, .1
    assert (top_p_filter(banned, 0.55) > -INF).tolist() == [False, True, False, False]
    assert (top_p_filter(banned, 0.65) > -INF).tolist() == [False, True, True, False]


@pytest.mark.parametrize("p", [0.0, 0, -0.1, 1.0001, 2, INF, float("nan")])
def test_top_p_outside_its_range_is_refused(p):
    with pytest.raises(ValueError, match=r"p must be in \(0, 1\], but it is"):
        top_p_filter(log_probs_of(0.5, 0.5), p)


@pytest.mark.parametrize("p", [None, "0.5", True, torch.tensor(0.5)])
def test_top_p_must_be_a_number(p):
    with pytest.raises(TypeError, match="p must be a number"):
        top_p_filter(log_probs_of(0.5, 0.5), p)


# --- random cases against the loops --------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 4),
    vocab_size=st.integers(1, 9),
    k=st.integers(1, 11),
    p=st.floats(1e-12, 1.0),
    banned=st.sampled_from([0.0, 0.5]),
    tied=st.booleans(),
)
def test_top_k_and_top_p_equal_the_loops(seed, rows, vocab_size, k, p, banned, tied):
    log_probs = random_log_probs(rows, vocab_size, seed=seed, banned=banned)
    if tied:  # few different values, so that ties are common
        log_probs = log_probs.round()
        log_probs = log_probs - log_probs.logsumexp(dim=-1, keepdim=True)
    rows_as_lists = log_probs.double().tolist()
    # At a boundary float32 and float64 sums may decide differently: step away from it.
    for row in rows_as_lists:
        masses = itertools.accumulate(math.exp(row[i]) for i in best_first(row))
        assume(all(abs(mass - p) >= 1e-5 for mass in masses))
    assert_same(top_k_filter(log_probs, k), [slow_top_k(row, k) for row in rows_as_lists])
    assert_same(top_p_filter(log_probs, p), [slow_top_p(row, p) for row in rows_as_lists])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 4),
    length=st.integers(0, 12),
    vocab_size=st.integers(1, 5),  # few tokens, so that repeats are common
    n=st.integers(1, 4),
)
def test_banned_ngrams_equal_the_loop(seed, rows, length, vocab_size, n):
    generator = torch.Generator().manual_seed(seed)
    prefixes = torch.randint(0, vocab_size, (rows, length), generator=generator)  # pads anywhere
    log_probs = random_log_probs(rows, vocab_size, seed=seed)
    actual = ban_repeated_ngrams(log_probs, prefixes, n)
    for row in range(rows):
        banned = slow_banned_ngrams(prefixes[row].tolist(), n, vocab_size)
        for v in range(vocab_size):
            assert actual[row, v] == (-INF if v in banned else log_probs[row, v])


# --- bans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids", [[0, 3], (3, 0, 3), {0, 3}, range(0, 4, 3), torch.tensor([3, 0])], ids=str
)
def test_banned_tokens_are_impossible_and_the_rest_keep_their_scores(ids):
    log_probs = random_log_probs(2, 3, 5, seed=5)
    actual = ban_tokens(log_probs, ids)
    assert (actual[..., [0, 3]] == -INF).all()
    assert torch.equal(actual[..., [1, 2, 4]], log_probs[..., [1, 2, 4]])


@pytest.mark.parametrize("ids", [[], torch.tensor([], dtype=torch.int64)], ids=str)
def test_banning_nothing_returns_an_equal_new_tensor(ids):
    log_probs = random_log_probs(2, 5, seed=6)
    actual = ban_tokens(log_probs, ids)
    assert torch.equal(actual, log_probs)
    assert actual.data_ptr() != log_probs.data_ptr()


def test_banning_everything_is_left_to_the_next_filter_to_report():
    nothing_left = ban_tokens(log_probs_of(0.5, 0.5), [0, 1])
    assert (nothing_left == -INF).all()
    assert (ban_tokens(nothing_left, [0]) == -INF).all()
    with pytest.raises(ValueError, match="every token is -inf"):
        top_k_filter(nothing_left, 1)


@pytest.mark.parametrize("ids", [[2], [-1], torch.tensor([0, 5])], ids=str)
def test_banned_ids_outside_the_vocabulary_are_refused(ids):
    with pytest.raises(ValueError, match=r"ids must be in 0 \.\. 1 .*but one is (2|-1|5)"):
        ban_tokens(log_probs_of(0.5, 0.5), ids)


@pytest.mark.parametrize(
    "ids", [[1.0], [True], [[0, 1]], torch.tensor(1), torch.tensor([1], dtype=torch.int32), 1]
)
def test_banned_ids_must_be_a_flat_list_of_ints(ids):
    with pytest.raises(TypeError):
        ban_tokens(log_probs_of(0.5, 0.5), ids)


def test_what_followed_the_last_token_before_is_banned():
    log_probs = torch.full((3, 6), math.log(1 / 6))
    prefixes = torch.tensor([[4, 5, 4, 3, 4], [4, 5, 4, 3, 2], [3, 3, 3, 3, 3]])
    banned = ban_repeated_ngrams(log_probs, prefixes, 2) == -INF
    assert [row.nonzero().flatten().tolist() for row in banned] == [[3, 5], [], [3]]


def test_ngrams_longer_than_the_prefix_ban_nothing():
    log_probs = random_log_probs(2, 4, seed=7)
    for length in (0, 1, 2):
        prefixes = torch.full((2, length), 3)
        actual = ban_repeated_ngrams(log_probs, prefixes, 3)
        assert torch.equal(actual, log_probs)
        assert actual.data_ptr() != log_probs.data_ptr()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_ngram_bans_do_not_depend_on_padding(n):
    row = [3, 4, 3, 4, 3]
    alone = ban_repeated_ngrams(torch.zeros(1, 6), torch.tensor([row]), n)
    padded = torch.tensor([row + [0, 0], [0, 0] + row, [0] + row + [0]])
    assert torch.equal(ban_repeated_ngrams(torch.zeros(3, 6), padded, n), alone.expand(3, -1))


def test_ngram_bans_use_the_pad_id_they_are_given():
    prefixes = torch.tensor([[0, 2, 0, 5, 5]])
    banned = ban_repeated_ngrams(torch.zeros(1, 6), prefixes, 2, pad_id=5) == -INF
    assert banned[0].tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("n", [0, -2])
def test_ngram_length_below_one_is_refused(n):
    with pytest.raises(ValueError, match=f"n must be ≥ 1, but it is {n}"):
        ban_repeated_ngrams(torch.zeros(1, 4), torch.tensor([[1]]), n)


def test_bad_prefixes_are_refused():
    log_probs = torch.zeros(2, 4)
    with pytest.raises(TypeError, match="n must be an integer"):
        ban_repeated_ngrams(log_probs, torch.tensor([[1], [1]]), 2.0)
    for prefixes in ([[1], [2]], torch.ones(2, 3), torch.ones(2, 3, dtype=torch.int32)):
        with pytest.raises(TypeError, match="prefixes must be an int64 tensor"):
            ban_repeated_ngrams(log_probs, prefixes, 2)
    for shape in ((3, 2), (2,), (2, 1, 1)):
        with pytest.raises(ValueError, match=r"\[N, V\] and prefixes \[N, T\]"):
            ban_repeated_ngrams(log_probs, torch.ones(shape, dtype=torch.int64), 2)
    with pytest.raises(ValueError, match=r"\[N, V\] and prefixes \[N, T\]"):
        ban_repeated_ngrams(log_probs[0], torch.tensor([[1]]), 2)
    for token in (4, -1):
        with pytest.raises(ValueError, match=rf"prefixes must be in 0 \.\. 3 .*but one is {token}"):
            ban_repeated_ngrams(log_probs, torch.tensor([[1], [token]]), 2)


# --- what all of them promise --------------------------------------------------------------------


@every_filter
def test_filters_change_no_argument_and_share_no_memory(name):
    log_probs = random_log_probs(3, 5, seed=8)
    before = log_probs.clone()
    actual = FILTERS[name](log_probs)
    assert torch.equal(log_probs, before)
    assert actual.data_ptr() != log_probs.data_ptr()


@every_filter
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_filters_keep_the_dtype_and_agree_across_precisions(name, dtype):
    # Multiples of 1/8 are exact in every dtype, so all see the same input.
    log_probs = torch.tensor([[-0.5, -1.25, -2.0, -3.5, -INF], [-4.0, -0.125, -INF, -3.0, -2.5]])
    log_probs = log_probs.to(dtype)
    actual = FILTERS[name](log_probs)
    assert actual.dtype == dtype
    expected = FILTERS[name](log_probs.double()).to(dtype)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_survives_a_large_vocabulary(dtype):
    log_probs = torch.full((2, 60_000), math.log(1 / 60_000), dtype=dtype)
    kept = (top_p_filter(log_probs, 0.5) > -INF).sum(dim=-1)
    # Summed in half precision the mass would stall long before one half.
    assert ((kept - 30_000).abs() < 60).all()


@pytest.mark.parametrize("name", RENORMALISING)
def test_sampling_filters_return_normalised_rows(name):
    log_probs = random_log_probs(4, 3, 6, seed=9, banned=0.3)
    total = FILTERS[name](log_probs).exp().sum(dim=-1)
    torch.testing.assert_close(total, torch.ones(4, 3))


@every_filter
def test_an_impossible_token_stays_impossible(name):
    log_probs = random_log_probs(5, 6, seed=10, banned=0.4)
    assert (FILTERS[name](log_probs)[log_probs == -INF] == -INF).all()


@pytest.mark.parametrize("name", [*RENORMALISING, "ban"])
def test_filters_accept_any_leading_shape(name):
    log_probs = random_log_probs(2, 3, 6, seed=11)
    flat = torch.stack([FILTERS[name](row) for row in log_probs.view(6, 6)])
    torch.testing.assert_close(FILTERS[name](log_probs), flat.view(2, 3, 6))
    assert FILTERS[name](torch.zeros(0, 6)).shape == (0, 6)


@every_filter
def test_bad_log_probs_are_refused(name):
    for bad, message in (
        (torch.tensor([[-1.0, float("nan"), -1, -1]]), "contain NaN"),
        (torch.tensor([[-1.0, INF, -1, -1]]), r"contain \+inf"),
        (torch.zeros(2, 0), "their shape is"),
    ):
        with pytest.raises(ValueError, match=message):
            FILTERS[name](bad)
    for bad in (torch.zeros(2, 4, dtype=torch.int64), [[0.5, 0.5, 0.0, 0.0]]):
        with pytest.raises(TypeError, match="log_probs must be a floating-point tensor"):
            FILTERS[name](bad)


@pytest.mark.parametrize("name", RENORMALISING)
def test_a_row_without_a_possible_token_is_refused(name):
    with pytest.raises(ValueError, match="every token is -inf"):
        FILTERS[name](torch.tensor([[-1.0, -2.0], [-INF, -INF]]))
    with pytest.raises(ValueError, match="their shape is"):
        FILTERS[name](torch.tensor(-1.0))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every_filter
def test_filters_give_the_same_on_cuda(name):
    log_probs = random_log_probs(3, 5, seed=12)

    def on_cuda(lp):
        if name == "ngrams":
            return ban_repeated_ngrams(lp, torch.tensor([[2, 3, 2]] * 3, device=lp.device), 2)
        return FILTERS[name](lp)

    actual = on_cuda(log_probs.cuda())
    assert actual.device.type == "cuda"
    torch.testing.assert_close(actual.cpu(), FILTERS[name](log_probs))


# --- min-p ---------------------------------------------------------------------------------------

PEAKED, CLIFF, FLAT = (
    (0.90, 0.04, 0.03, 0.02, 0.01),
    (0.40, 0.38, 0.10, 0.07, 0.05),
    (0.24, 0.22, 0.20, 0.18, 0.16),
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("probs", "p", "kept"),
    [
        (PEAKED, 0.3, 1), (CLIFF, 0.3, 2), (FLAT, 0.3, 5),
        (FLAT, 0.95, 1), (FLAT, 0.9, 2), (CLIFF, 1.0, 1), (CLIFF, 1e-9, 5), (CLIFF, 0, 5),
        ((0.5, 0.25, 0.125, 0.125), 0.25, 4), ((0.4, 0.4, 0.2), 1.0, 2), ((1.0,), 1.0, 1),
    ],
)  # fmt: skip
def test_min_p_keeps_what_comes_near_to_the_best_token(probs, p, kept, dtype):
    filtered = min_p_filter(log_probs_of(*probs, dtype=dtype), p).exp()
    total = sum(probs[:kept])
    wanted = [q / total if i < kept else 0.0 for i, q in enumerate(probs)]
    torch.testing.assert_close(filtered, torch.tensor(wanted, dtype=dtype), rtol=1e-5, atol=1e-7)


def slow_min_p(row, p):
    best = max(map(math.exp, row))
    return renormalised(row, [i for i, lp in enumerate(row) if 0 < math.exp(lp) >= p * best])


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 4), p=st.floats(0.01, 0.99))
def test_min_p_equals_the_loop(seed, rows, p):
    log_probs = random_log_probs(rows, 7, seed=seed, banned=0.3, dtype=torch.float64)
    ratios = (log_probs - log_probs.amax(-1, keepdim=True)).exp()
    if (ratios - p).abs().min() > 1e-5:
        assert_same(min_p_filter(log_probs, p), [slow_min_p(row, p) for row in log_probs.tolist()])


def test_min_p_after_the_temperature_keeps_more_than_before():
    """2 of the cliff; a temperature of 2 makes it flat, and all five pass."""
    cliff = log_probs_of(*CLIFF)
    assert int((min_p_filter(apply_temperature(cliff, 2.0), 0.3) > -INF).sum()) == 5
    assert int((apply_temperature(min_p_filter(cliff, 0.3), 2.0) > -INF).sum()) == 2


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), INF])
def test_min_p_outside_its_range_is_refused(p):
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        min_p_filter(log_probs_of(0.5, 0.5), p)


@pytest.mark.parametrize("p", [True, "0.5", None])
def test_min_p_must_be_a_number(p):
    with pytest.raises(TypeError, match="p must be a number"):
        min_p_filter(log_probs_of(0.5, 0.5), p)
