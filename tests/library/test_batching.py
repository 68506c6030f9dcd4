"""Batches: the shift by one, what truncation keeps, samplers that pad little and lose nothing."""

import math
import pickle
import random
from collections import Counter, namedtuple
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.batching import (
    Batch,
    BucketSampler,
    TokenBatchSampler,
    collate,
    encode_pairs,
    make_loader,
    pad_sequences,
    truncate,
)
from seq2seq_lib.corpora import phrases
from seq2seq_lib.runtime import get_device
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Vocab

DEVICE = get_device()
word_ids = st.lists(st.integers(UNK_ID, 40), max_size=7)
examples = st.lists(st.tuples(word_ids, word_ids), min_size=1, max_size=6)
# unsorted, an empty source, an empty target, neither side longest in the same row
EXAMPLES = [([7, 8, 9], [5, 6]), ([], [4, 4, 9, 8, 7]), ([5, 6, 7, 8, 9, 4], []), ([8], [9, 5, 6])]


def tensors(batch):
    return {field.name: getattr(batch, field.name) for field in fields(batch)}


# --- pad_sequences and truncate ------------------------------------------------------------------


@given(
    st.lists(
        st.lists(st.integers(0, 99) | st.just(-9), min_size=1, max_size=7), min_size=1, max_size=6
    )
)
def test_padding_is_on_the_right_and_removed_by_the_lengths(sequences):
    ids, lengths = pad_sequences(sequences, pad_id=-9)
    assert ids.dtype == lengths.dtype == torch.int64
    assert ids.shape == (len(sequences), max(map(len, sequences)))
    assert lengths.tolist() == [len(sequence) for sequence in sequences]
    for row, sequence in zip(ids.tolist(), sequences, strict=True):
        assert row[: len(sequence)] == sequence
        assert all(i == -9 for i in row[len(sequence) :])


def test_the_pad_is_pad_id_unless_given():
    ids, _ = pad_sequences([[5], [6, 7]])
    assert ids.tolist() == [[5, PAD_ID], [6, 7]]


def test_nothing_to_pad_is_refused():
    with pytest.raises(ValueError, match="no sequences"):
        pad_sequences([])
    with pytest.raises(ValueError, match="Sequence 1 is empty"):
        pad_sequences([[5], [], [6]])


@given(word_ids, st.integers(1, 9), st.booleans())
def test_truncate_keeps_a_final_eos_and_a_prefix(ids, max_len, ended):
    ids = [*ids, EOS_ID] if ended else ids
    before = list(ids)
    cut = truncate(ids, max_len)
    assert len(cut) == min(len(ids), max_len)
    assert (cut[-1:] == [EOS_ID]) == ended
    words = cut[:-1] if ended else cut
    assert words == ids[: len(words)]
    assert ids == before and cut is not ids


@pytest.mark.parametrize(
    ("max_len", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError)]
)
def test_a_limit_that_is_none_is_refused(max_len, error):
    with pytest.raises(error, match="max_len"):
        truncate([5, 6, 7], max_len)


# --- collate: the shift --------------------------------------------------------------------------


@given(examples)
def test_targets_are_inputs_shifted_by_one_and_end_once(pairs):
    batch = collate(pairs)
    assert (batch.tgt_in[:, 0] == BOS_ID).all()
    assert batch.tgt_in.shape == batch.tgt_out.shape
    for row, (source, target) in enumerate(pairs):
        length = len(target) + 1
        assert batch.tgt_lengths[row] == length
        tgt_in, tgt_out = batch.tgt_in[row].tolist(), batch.tgt_out[row].tolist()
        assert tgt_in[1:length] == tgt_out[: length - 1] == target
        assert tgt_out[length - 1] == EOS_ID and tgt_out.count(EOS_ID) == 1
        assert EOS_ID not in tgt_in  # the decoder never reads its own end, also in short rows
        assert set(tgt_in[length:]) | set(tgt_out[length:]) <= {PAD_ID}
        src = batch.src[row].tolist()
        assert batch.src_lengths[row] == len(source) + 1
        assert src[: len(source) + 1] == [*source, EOS_ID]
        assert set(src[len(source) + 1 :]) <= {PAD_ID}


def test_the_example_of_the_docstring():
    batch = collate([([], [11, 12, 13])])
    assert batch.tgt_in.tolist() == [[BOS_ID, 11, 12, 13]]
    assert batch.tgt_out.tolist() == [[11, 12, 13, EOS_ID]]


def test_an_empty_sentence_has_length_one():
    batch = collate([([], [])])
    assert batch.src.tolist() == [[EOS_ID]] and batch.src_lengths.tolist() == [1]
    assert batch.tgt_in.tolist() == [[BOS_ID]] and batch.tgt_out.tolist() == [[EOS_ID]]


@given(examples, st.integers(1, 6))
def test_a_limit_counts_eos_and_keeps_it(pairs, max_len):
    batch = collate(pairs, max_len=max_len)
    assert batch.src.size(1) <= max_len and batch.tgt_out.size(1) <= max_len
    for row, (source, target) in enumerate(pairs):
        words = target[: max_len - 1]
        n = len(words) + 1
        assert batch.tgt_out[row, :n].tolist() == [*words, EOS_ID]
        assert batch.tgt_in[row, :n].tolist() == [BOS_ID, *words]
        assert batch.src[row, batch.src_lengths[row] - 1] == EOS_ID
        assert batch.src_lengths[row] == min(len(source) + 1, max_len)


def test_collate_leaves_the_examples_alone_and_refuses_none():
    before = pickle.dumps(EXAMPLES)
    collate(EXAMPLES, max_len=2)
    assert pickle.dumps(EXAMPLES) == before
    with pytest.raises(ValueError, match="no examples"):
        collate([])


def test_encode_pairs_keeps_the_sides_apart():
    Text = namedtuple("Text", "source target")
    src_vocab, tgt_vocab = Vocab(["a", "b"]), Vocab(["b", "c", "a"])
    pairs = [Text(["a", "b"], ["a"]), Text([], ["c", "?"])]
    assert encode_pairs(pairs, src_vocab, tgt_vocab) == [([4, 5], [6]), ([], [5, UNK_ID])]


# --- Batch ---------------------------------------------------------------------------------------


def test_masks_are_true_at_real_tokens():
    batch = collate(EXAMPLES).to(DEVICE)
    assert len(batch) == 4
    assert torch.equal(batch.src_mask, batch.src != PAD_ID)
    assert torch.equal(batch.tgt_mask, batch.tgt_out != PAD_ID)
    assert torch.equal(batch.tgt_mask, batch.tgt_in != PAD_ID)
    assert batch.src_mask.shape != batch.tgt_mask.shape  # the data tell the two apart


def test_to_moves_every_tensor():
    moved = collate(EXAMPLES).to("meta", non_blocking=True)
    assert {value.device.type for value in tensors(moved).values()} == {"meta"}
    back = collate(EXAMPLES).to("cpu")
    for name, value in tensors(collate(EXAMPLES)).items():
        assert torch.equal(value, getattr(back, name)), name


def test_pin_memory_pins_every_tensor(monkeypatch):
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned.append(self) or self + 0)
    batch = collate(EXAMPLES)
    copy = batch.pin_memory()
    for name, value in tensors(batch).items():
        assert any(value is one for one in pinned), name
        assert torch.equal(value, getattr(copy, name)), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_pinned_memory_is_pinned():
    copy = collate(EXAMPLES).pin_memory()
    assert all(value.is_pinned() for value in tensors(copy).values())


@pytest.mark.parametrize("name", [field.name for field in fields(Batch)])
def test_a_batch_refuses_tensors_that_do_not_belong_together(name):
    batch = collate(EXAMPLES)
    value = getattr(batch, name)
    with pytest.raises(ValueError, match=f"same number of rows.*'{name}': 3"):
        replace(batch, **{name: value[1:]})
    with pytest.raises(TypeError, match=f"{name} must be an int64 tensor, but it is torch.int32"):
        replace(batch, **{name: value.int()})
    with pytest.raises(TypeError, match=f"{name} must be an int64 tensor, but it is list"):
        replace(batch, **{name: value.tolist()})
    with pytest.raises(ValueError, match=rf"{name} must have . dimension"):
        replace(batch, **{name: value.unsqueeze(-1)})


def test_a_batch_refuses_inputs_and_targets_of_different_widths():
    batch = collate(EXAMPLES)
    with pytest.raises(ValueError, match="shifted by one"):
        replace(batch, tgt_in=batch.tgt_in[:, :-1])


def test_batches_compare_by_identity():
    batch = collate(EXAMPLES)
    assert batch == batch and batch != collate(EXAMPLES)
    assert batch in {batch}


# --- samplers ------------------------------------------------------------------------------------

RNG = random.Random(7)
LENGTHS = [RNG.randint(1, 60) for _ in range(1000)]


def padding_share(batches, lengths):
    cells = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    return 1 - sum(lengths) / cells


def seen_once(batches, count):
    return Counter(i for batch in batches for i in batch) == Counter(range(count))


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(1, 7),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 5),
)
def test_every_sentence_is_in_exactly_one_batch(lengths, batch_size, pool, shuffle, epoch):
    sampler = BucketSampler(lengths, batch_size, shuffle=shuffle, seed=3, pool_batches=pool)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert seen_once(batches, len(lengths))
    assert len(batches) == len(sampler) == math.ceil(len(lengths) / batch_size)
    sizes = sorted(len(batch) for batch in batches)
    assert sizes[1:] == [batch_size] * (len(batches) - 1)
    assert 1 <= sizes[0] <= batch_size


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(9, 30),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 5),
)
def test_no_batch_has_more_cells_than_max_tokens(lengths, max_tokens, pool, shuffle, epoch):
    sampler = TokenBatchSampler(lengths, max_tokens, shuffle=shuffle, seed=3, pool_tokens=pool)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert seen_once(batches, len(lengths))
    assert len(batches) == len(sampler)
    assert all(0 < len(b) * max(lengths[i] for i in b) <= max_tokens for b in batches)


def test_token_batches_are_as_full_as_the_lengths_allow():
    sampler = TokenBatchSampler([3, 3, 3, 3, 4, 4, 12, 5], 12, shuffle=False)
    assert list(sampler) == [[0, 1, 2, 3], [4, 5], [7], [6]]


@pytest.mark.parametrize(
    "make",
    [lambda **o: BucketSampler(LENGTHS, 32, **o), lambda **o: TokenBatchSampler(LENGTHS, 960, **o)],
    ids=["sentences", "tokens"],
)
class TestOrder:
    def test_is_a_function_of_seed_and_epoch(self, make):
        orders = {}
        for seed in (1, 2):
            for epoch in (0, 1, 2):
                sampler = make(seed=seed)
                sampler.set_epoch(epoch)
                orders[seed, epoch] = list(sampler)
                assert list(sampler) == orders[seed, epoch]  # asking twice moves nothing
        assert len({str(order) for order in orders.values()}) == 6
        sampler = make(seed=1)
        assert list(sampler) == orders[1, 0]
        sampler.set_epoch(2)
        sampler.set_epoch(1)
        assert list(sampler) == orders[1, 1]

    def test_does_not_touch_the_global_generator(self, make):
        before = torch.get_rng_state()
        first = list(make())
        assert torch.equal(before, torch.get_rng_state())
        torch.rand(3)
        assert list(make()) == first

    def test_without_shuffling_is_sorted_by_length(self, make):
        sampler = make(shuffle=False)
        batches = list(sampler)
        sizes = [LENGTHS[i] for batch in batches for i in batch]
        assert sizes == sorted(LENGTHS)
        sampler.set_epoch(1)
        assert list(sampler) == batches

    def test_batches_come_in_random_order_of_length(self, make):
        places = set()
        for seed in range(8):
            longest = [max(LENGTHS[i] for i in batch) for batch in make(seed=seed)]
            assert longest != sorted(longest) != longest[::-1]
            places.add(longest.index(max(longest)))
        assert len(places) >= 4  # of some 32 places for the batch of the longest sentences

    def test_pads_far_less_than_shuffled_sentences(self, make):
        order = random.Random(1).sample(range(len(LENGTHS)), len(LENGTHS))
        shuffled = [order[i : i + 32] for i in range(0, len(order), 32)]
        assert padding_share(shuffled, LENGTHS) > 0.4
        for seed in range(5):
            # 0.028 and 0.038 at most over 50 seeds
            assert padding_share(list(make(seed=seed)), LENGTHS) < 0.06


def test_lengths_differ_little_within_a_batch():
    for batch in BucketSampler(LENGTHS, 32, seed=4):
        sizes = [LENGTHS[i] for i in batch]
        # 1000 sentences fit into one pool: 32 neighbours in length span 3 at most over 100 seeds
        assert max(sizes) - min(sizes) <= 5


def test_pools_decide_how_much_is_sorted_together():
    one_batch = list(BucketSampler(LENGTHS, 32, pool_batches=1))
    assert padding_share(one_batch, LENGTHS) > 0.4  # nothing to sort among: shuffled sentences
    few = list(BucketSampler(LENGTHS, 32, pool_batches=4))
    assert 0.1 < padding_share(few, LENGTHS) < 0.3
    small = TokenBatchSampler(LENGTHS, 960, pool_tokens=1)
    assert small.pool == round(960 * 1000 / sum(LENGTHS))  # a batch's worth of sentences
    assert padding_share(list(small), LENGTHS) > 0.2
    assert TokenBatchSampler([5, 6], 6, pool_tokens=1).pool == 1
    assert TokenBatchSampler([5, 5], 10, pool_tokens=50).pool == 100


def test_ties_in_length_are_broken_differently_in_each_epoch():
    sampler = BucketSampler([7] * 64, 8)
    first = {frozenset(batch) for batch in sampler}
    sampler.set_epoch(1)
    assert first != {frozenset(batch) for batch in sampler}


def test_lengths_may_be_pairs_or_a_tensor():
    pairs = [(3, 1), (2, 9), (3, 0), (2, 8)]
    assert list(BucketSampler(pairs, 2, shuffle=False)) == [[3, 1], [2, 0]]
    lengths = torch.tensor([4, 1, 3, 2])
    assert list(BucketSampler(lengths, 2, shuffle=False)) == [[1, 3], [2, 0]]
    assert list(TokenBatchSampler(lengths, 4, shuffle=False)) == [[1, 3], [2], [0]]


@pytest.mark.parametrize("sampler", [BucketSampler, TokenBatchSampler])
def test_samplers_refuse_what_cannot_be_batched(sampler):
    name = "batch_size" if sampler is BucketSampler else "max_tokens"
    with pytest.raises(ValueError, match="lengths is empty"):
        sampler([], 3)
    with pytest.raises(ValueError, match=f"{name} must be ≥ 1, but it is 0"):
        sampler([1, 2], 0)
    with pytest.raises(TypeError, match=f"{name} must be an integer"):
        sampler([1, 2], 2.5)
    with pytest.raises(TypeError, match="shuffle must be True or False, but it is 'no'"):
        sampler([1, 2], 3, shuffle="no")
    for seed in (None, "1", 1.5):
        with pytest.raises(TypeError, match="as an integer"):
            sampler([1, 2], 3, seed=seed)
    with pytest.raises(ValueError, match="pool_(batches|tokens) must be ≥ 1"):
        sampler([1, 2], 3, **{"pool_batches" if sampler is BucketSampler else "pool_tokens": 0})


def test_a_sentence_that_fits_no_batch_is_named():
    with pytest.raises(ValueError, match="max_tokens is 5, but sentence 2 alone has 6 tokens"):
        TokenBatchSampler([1, 5, 6, 2], 5)
    with pytest.raises(ValueError, match="lengths must be ≥ 1.* but sentence 1 has 0"):
        TokenBatchSampler([1, 0, 6], 9)


# --- make_loader ---------------------------------------------------------------------------------

MANY = [
    (
        [RNG.randint(4, 30) for _ in range(RNG.randint(0, 9))],
        [RNG.randint(4, 30) for _ in range(RNG.randint(0, 6))],
    )
    for _ in range(57)
]


def rows_of(batch):
    """The examples of a batch, pads, BOS and EOS taken off again."""
    sources = [
        row[: n - 1] for row, n in zip(batch.src.tolist(), batch.src_lengths.tolist(), strict=True)
    ]
    targets = [
        row[: n - 1]
        for row, n in zip(batch.tgt_out.tolist(), batch.tgt_lengths.tolist(), strict=True)
    ]
    return list(zip(sources, targets, strict=True))


@pytest.mark.parametrize("size", [{"batch_size": 8}, {"max_tokens": 40}], ids=str)
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_loader_delivers_every_example_once(size, shuffle):
    loader = make_loader(MANY, **size, shuffle=shuffle, seed=3)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert all(isinstance(batch, Batch) for batch in batches)
    assert sorted(row for batch in batches for row in rows_of(batch)) == sorted(MANY)


def test_a_loader_is_sorted_by_target_then_source_without_shuffling():
    rows = [row for batch in make_loader(MANY, 8, shuffle=False) for row in rows_of(batch)]
    sizes = [(len(target), len(source)) for source, target in rows]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("size", [{"batch_size": 64}, {"max_tokens": 512}], ids=str)
def test_a_loader_pads_little_on_both_sides(size):
    """Sorted by the target's length alone, a sixth of the source's cells are pads."""
    pairs = phrases(4000, 0, 0).train
    vocabs = [Vocab.build(getattr(pair, side) for pair in pairs) for side in ("source", "target")]
    batches = list(make_loader(encode_pairs(pairs, *vocabs), **size))
    for mask in ("src_mask", "tgt_mask"):
        real = sum(int(getattr(batch, mask).sum()) for batch in batches)
        cells = sum(getattr(batch, mask).numel() for batch in batches)
        assert 1 - real / cells < 0.08, mask


def test_the_order_of_a_loader_follows_seed_and_epoch():
    def order(seed, epoch):
        loader = make_loader(MANY, 8, seed=seed)
        loader.batch_sampler.set_epoch(epoch)
        return [rows_of(batch) for batch in loader]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(2, 2) and order(1, 2) != order(1, 3)


def test_a_loader_and_both_samplers_agree_on_their_defaults():
    """Then one of them may take the place of another, in the same order."""
    lengths = [1] * 9  # so 4 sentences are 4 cells
    loader = make_loader([([], [])] * 9, batch_size=4)
    by_sentences, by_cells = BucketSampler(lengths, 4), TokenBatchSampler(lengths, 4)
    assert list(by_sentences) == list(by_cells) == list(loader.batch_sampler)
    assert by_sentences.pool == by_cells.pool == loader.batch_sampler.pool


def test_max_tokens_bounds_source_and_target_with_their_eos():
    batches = list(make_loader(MANY, max_tokens=40))
    cells = [max(batch.src.numel(), batch.tgt_out.numel()) for batch in batches]
    assert max(cells) <= 40
    # so many that a further row would often not fit: the bound is used, not only kept
    assert sum(cells) / len(cells) > 25
    make_loader([([5] * 9, [5])], max_tokens=10)
    with pytest.raises(ValueError, match="sentence 0 alone has 10 tokens"):
        make_loader([([5] * 9, [5])], max_tokens=9)
    with pytest.raises(ValueError, match="sentence 0 alone has 10 tokens"):
        make_loader([([5], [5] * 9)], max_tokens=9)


@pytest.mark.parametrize("size", [{"batch_size": 8}, {"max_tokens": 40}], ids=str)
def test_a_loader_truncates(size):
    loader = make_loader(MANY, **size, max_len=4, shuffle=False)
    rows = [row for batch in loader for row in rows_of(batch)]
    assert sorted(rows) == sorted((source[:3], target[:3]) for source, target in MANY)
    # sorted by what is left: else whole sentences would decide which stumps share a batch
    assert [len(target) for _, target in rows] == sorted(
        len(target) for _, target in rows
    ) or "max_tokens" in size
    assert len(make_loader([([5] * 9, [5] * 9)] * 5, max_tokens=20, max_len=4)) == 1


def test_a_loader_can_be_sent_to_worker_processes():
    loader = make_loader(MANY, 8, max_len=3)
    collate_fn = pickle.loads(pickle.dumps(loader.collate_fn))
    assert collate_fn(MANY[:5]).src.size(1) == 3


def test_pinning_is_chosen_by_the_caller():
    assert make_loader(MANY, 8, pin_memory=True).pin_memory
    assert not make_loader(MANY, 8).pin_memory


@pytest.mark.parametrize("sizes", [{}, {"batch_size": 3, "max_tokens": 30}])
def test_a_loader_wants_exactly_one_size(sizes):
    with pytest.raises(ValueError, match="Give one of batch_size .* and max_tokens"):
        make_loader(MANY, **sizes)


def test_a_loader_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no examples"):
        make_loader([], 3)


def test_a_batch_cannot_be_changed():
    batch = collate([([5, 6], [7])])
    with pytest.raises(AttributeError, match="cannot assign"):
        batch.src = batch.tgt_in
