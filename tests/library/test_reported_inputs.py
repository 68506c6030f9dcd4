"""Inputs that people reported of other projects, and what happens to them here.

Each test stands for a kind. Where the library could refuse or guess, it refuses, in words.
"""

import itertools
import random
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from seq2seq_lib.batching import collate, make_loader, pad_sequences
from seq2seq_lib.corpora import Pair, detokenize, tokenize
from seq2seq_lib.decoding import beam_search, greedy_search, rescore, sample
from seq2seq_lib.encoder import Encoder
from seq2seq_lib.latent import LatentConfig
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.masks import padding_mask
from seq2seq_lib.runtime import get_rng, seed_everything, set_rng
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import (
    CheckpointError,
    TrainConfig,
    evaluate,
    fit,
    load_checkpoint,
    save_checkpoint,
    teacher_forced_loss,
    train_step,
)
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Vocab

EXAMPLES = [([4 + n % 5, 5], [4 + n % 7, 6, 7]) for n in range(32)]
CONFIG = TrainConfig(epochs=2, learning_rate=1e-2, checkpoint_every=4)
SOURCE = torch.tensor([[5, 6, 2]]), torch.tensor([3])
IDS = torch.tensor([[1]])


def make_model(**sizes):
    seed_everything(0)
    return Seq2Seq(Seq2SeqConfig(12, 12, **{"embed_size": 8, "hidden_size": 8, **sizes}))


def run(model, loader, config=CONFIG, **options):
    return fit(model, loader, None, config, progress=False, **options)


def search(**options):
    return beam_search(make_model(), *SOURCE, **{"num_beams": 2, "max_new_tokens": 3, **options})


def train(model=None, optimizer=None, loss_function=None, batches=None, **options):
    """One step."""
    model = model or make_model()
    return train_step(
        model,
        batches or [collate(EXAMPLES[:4])],
        optimizer or torch.optim.SGD(model.parameters(), 0.1),
        loss_function=loss_function or teacher_forced_loss(),
        **options,
    )


class Stopped(Exception):
    pass


def stopping(after: int):
    """A loss function that fails at the given training step."""
    inner = teacher_forced_loss()

    def loss(model, batch, step):
        if step == after:
            raise Stopped
        return inner(model, batch, step)

    return loss


# ---------------------------------------------------------------- resuming, pytorch#26013


def half_an_epoch(tmp_path, loader):
    with pytest.raises(Stopped):
        run(make_model(), loader, loss_function=stopping(4), checkpoint_path=tmp_path / "m.pt")
    return load_checkpoint(tmp_path / "m.pt")


def test_an_order_that_is_not_the_old_one_is_refused_in_the_middle_of_an_epoch(tmp_path):
    def shuffled():
        return DataLoader(EXAMPLES, 4, shuffle=True, collate_fn=collate)

    checkpoint = half_an_epoch(tmp_path, shuffled())
    with pytest.raises(CheckpointError, match="first 4 batches .* are not those"):
        run(make_model(), shuffled(), resume=checkpoint)
    with pytest.raises(CheckpointError, match="first 4 batches .* are not those"):
        run(make_model(), make_loader(EXAMPLES, 4, seed=1), resume=checkpoint)


def test_the_same_order_goes_on_whoever_gives_it(tmp_path):
    def plain():
        return DataLoader(EXAMPLES, 4, collate_fn=collate)

    whole = make_model()
    run(whole, plain())
    resumed = make_model()
    run(resumed, plain(), resume=half_an_epoch(tmp_path, plain()))
    for ours, theirs in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_moments_are_not_handed_to_weights_of_another_order(tmp_path):
    """pytorch#1489: the optimiser knows parameters by their order alone."""
    path = tmp_path / "m.pt"
    run(make_model(), make_loader(EXAMPLES, 4), TrainConfig(epochs=1), checkpoint_path=path)
    other = make_model()
    embedding = other.encoder.embedding
    del other.encoder.embedding
    other.encoder.embedding = embedding  # the same names and shapes, registered last
    assert dict(other.named_parameters()).keys() == dict(make_model().named_parameters()).keys()
    with pytest.raises(CheckpointError, match="parameters in another order"):
        run(other, make_loader(EXAMPLES, 4), resume=load_checkpoint(path))


def test_numpys_random_numbers_are_stored_too(tmp_path):
    """transformers#11582: word dropout drawn from NumPy's global generator."""
    drawn = []
    inner = teacher_forced_loss()

    def noisy(model, batch, step):
        drawn.append(np.random.random())  # noqa: NPY002
        return inner(model, batch, step)

    loader = make_loader(EXAMPLES, 4)
    path = tmp_path / "m.pt"
    run(make_model(), loader, TrainConfig(epochs=1), loss_function=noisy, checkpoint_path=path)
    run(make_model(), loader, loss_function=noisy, resume=load_checkpoint(path))
    resumed, drawn[:] = drawn[8:], []
    set_rng(load_checkpoint(path).rng)
    expected = [np.random.random() for _ in range(8)]  # noqa: NPY002
    assert resumed == expected


def test_what_after_epoch_draws_changes_nothing_that_comes_after():
    def draws(model, record):
        random.random(), np.random.random(), torch.rand(1)  # noqa: NPY002

    states = []
    for after in (None, draws):
        seed_everything(3)
        run(make_model(), make_loader(EXAMPLES, 4), after_epoch=after)
        states.append(get_rng())
    assert states[0]["numpy"] == states[1]["numpy"] and states[0]["python"] == states[1]["python"]
    assert torch.equal(states[0]["torch"], states[1]["torch"])


def test_a_jump_of_the_learning_rate_is_told_of(tmp_path):
    path, loader = tmp_path / "m.pt", make_loader(EXAMPLES, 4)
    cosine = {"learning_rate": 1e-2, "cosine_decay": True}
    run(make_model(), loader, TrainConfig(epochs=2, **cosine), checkpoint_path=path)
    with pytest.warns(
        UserWarning, match="planned for 16 steps and now is for 32.*jumps from"
    ) as told:
        run(make_model(), loader, TrainConfig(epochs=4, **cosine), resume=load_checkpoint(path))
    calls_fit = run.__code__.co_firstlineno + 1
    assert (told[0].filename, told[0].lineno) == (__file__, calls_fit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the same plan, or no decay: not a word
        run(make_model(), loader, TrainConfig(epochs=2, **cosine), resume=load_checkpoint(path))
        run(make_model(), loader, TrainConfig(epochs=4), resume=load_checkpoint(path))
        older = load_checkpoint(path)
        del older.progress["planned"]  # nor where no plan is known
        run(make_model(), loader, TrainConfig(epochs=4, **cosine), resume=older)


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize("special", [PAD_ID, BOS_ID, EOS_ID])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, torch.tensor, lambda ids: [torch.tensor(i) for i in ids]]
)
def test_special_ids_inside_an_example_are_refused(special, side, kind):
    """llama.cpp#7332: BOS and EOS twice, a better loss and worse outputs."""
    example = ([5, 6], [7, 8])
    example[side][1] = special
    example = tuple(map(kind, example))
    with pytest.raises(ValueError, match=rf"(source|target) of example 1 .*\({special}\) at 1"):
        collate([([5], [6]), example])
    assert collate([([UNK_ID], [UNK_ID])]).src.tolist() == [[UNK_ID, EOS_ID]]


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ([1.7], TypeError),
        ([float("nan")], TypeError),
        ([True], TypeError),
        (["5"], TypeError),
        ([[5]], TypeError),
        ([5, None], TypeError),
        ([2**70], TypeError),
        ([-1], ValueError),
        ([6, -1, 7], ValueError),
    ],
)
def test_ids_that_are_none_are_refused_with_their_row(ids, error):
    with pytest.raises(error, match=r"[sS]equence 1 "):
        pad_sequences([[4], ids])


def test_integers_of_any_kind_are_ids():
    rows = [[4, 5], np.array([6]), torch.tensor([7], dtype=torch.int32)]
    assert pad_sequences(rows)[0].tolist() == [[4, 5], [6, 0], [7, 0]]
    src = collate([(row, row) for row in rows]).src.tolist()
    assert src == [[4, 5, EOS_ID], [6, EOS_ID, 0], [7, EOS_ID, 0]]
    vocab = Vocab(["a", "b"])
    assert vocab.decode([4, np.uint8(5), torch.tensor(4)]) == ["a", "b", "a"]
    assert vocab.decode(np.array([5])) == vocab.decode(torch.tensor([5, EOS_ID])) == ["b"]


@pytest.mark.parametrize("ids", [[4.7], torch.tensor([4.7]), [float("nan")], [True], "4", [[4]]])
def test_what_is_no_id_is_not_decoded(ids):
    with pytest.raises(TypeError, match="ids must hold integer ids, but one is "):
        Vocab(["a", "b"]).decode(ids)


@pytest.mark.parametrize("tokens", [[4, 5], [None], ["a", float("nan")]])
def test_what_was_encoded_before_is_not_encoded_again_to_unknown_words(tokens):
    with pytest.raises(TypeError, match="Every token must be a string, but one is "):
        Vocab(["a", "b"]).encode(tokens)


@pytest.mark.parametrize("pad_id", [None, 1.5, "0"])
@pytest.mark.parametrize(
    "call", [lambda pad: padding_mask(IDS, pad), lambda pad: pad_sequences([[4], [5, 6]], pad)]
)
def test_a_tokenizer_without_a_pad_is_named(call, pad_id):
    """GPT-2's has the pad_token_id None, which no id equals, so nothing would be a pad."""
    with pytest.raises(TypeError, match="pad_id must be an integer, but it is"):
        call(pad_id)


@pytest.mark.parametrize(
    "example",
    [
        Pair(("a",), ("b",)),  # of a corpus, not encoded
        ("a b", "c"),
        ([4], None),
        ([4], [5], [6]),
        [4, 5],
        {"source": [4], "target": [5]},
        4,
    ],
)
@pytest.mark.parametrize("call", [collate, lambda examples: make_loader(examples, 2)])
def test_what_is_no_pair_of_ids_is_named(call, example):
    with pytest.raises(TypeError, match=r"Example 1 must be a pair .*encode_pairs"):
        call([([4], [5]), example])


def test_pads_within_the_length_are_refused_at_every_entrance():
    """transformers#19067: pads on the left are read like words."""
    model, lengths = make_model(), torch.tensor([3, 5])
    src = torch.tensor([[0, 0, 5, 6, 2], [4, 5, 6, 7, 2]])
    entrances = [
        lambda: model.encoder(src, lengths),
        lambda: greedy_search(model, src, lengths, max_new_tokens=3),
        lambda: beam_search(model, src, lengths, num_beams=2, max_new_tokens=3),
        lambda: sample(model, src, lengths, max_new_tokens=3),
        lambda: rescore(model, src, lengths, [[[5, 2]], [[5, 2]]]),
    ]
    for enter in entrances:
        with pytest.raises(ValueError, match=r"src\[0, 0\] is PAD, but row 0 counts it"):
            enter()
    assert model.encoder(src.flip(1)[:1], lengths[:1]) is not None  # pads on the right


def test_an_encoder_of_a_lesson_may_read_pads():
    class Careless(Encoder):
        reads_pads = True

    careless = Careless(12, 8, 8)
    memory = careless(torch.tensor([[5, 2, 0]]), torch.tensor([3])).memory
    assert memory[0, 2].abs().sum() > 0


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Donau\u00addampf", ["donaudampf"]),  # soft hyphen
        ("zero\u200bwidth\ufeff", ["zerowidth"]),
        ("\u202aleft\u202c \u2066mark\u2069", ["left", "mark"]),
        ("t\u2011shirt", ["t-shirt"]),  # the hyphen that forbids a line break
        ("می\u200cخواهم", ["می\u200cخواهم"]),  # Persian is written with it
        ("\u200b\u00ad", []),
    ],
)
def test_what_nobody_sees_splits_no_word(text, words):
    """bergamot-translator#337, syntok#18."""
    if "\u200c" in text:
        assert "\u200c" in "".join(tokenize(text))
    else:
        assert tokenize(text) == words


def test_a_line_over_four_thousand_bytes_is_trained_on_and_keeps_its_letters():
    """sentencepiece#214: such lines are dropped from training, without a word."""
    long = "ж" * 3000 + " " + "дом " * 600
    lines = ["the house of the man", "a man in the house"] * 20 + [long]
    assert "<unk>" not in Subwords.train(lines, 40).encode("дом ж")
    subwords = Subwords.train(lines, 40)
    assert UNK_ID not in subwords.vocab().encode(subwords.encode("жд"))


@pytest.mark.parametrize(
    "call",
    [
        lambda: tokenize(float("nan")),
        lambda: Subwords.train(["a man", float("nan")], 20),
        lambda: Vocab.build([["a", float("nan")]]),
        lambda: Vocab.build([["a", None]]),
    ],
)
def test_empty_cells_of_a_table_are_named(call):
    with pytest.raises(TypeError, match=r"string, but .*(nan|None).*an empty cell"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: Subwords.train("the house of the man", 20),
        lambda: Subwords.train(["the house of the man"] * 9, 20).sample("the man", 0.1, 1),
        lambda: detokenize("the man"),
        lambda: Vocab("the man"),
    ],
)
def test_a_text_in_place_of_a_list_is_not_read_letter_by_letter(call):
    with pytest.raises(TypeError, match=r"must be a list of \w+, but it is the string 'the "):
        call()


# ---------------------------------------------------------------- checkpoints


def test_numpys_strings_and_numbers_are_stored_as_pythons(tmp_path):
    """nerfstudio#3702: trained to the end, and then refused as holding code."""
    path = tmp_path / "m.pt"
    vocab = Vocab([np.str_("a"), np.str_("b")])
    extra = {np.str_("k"): np.float64(0.5), "n": [np.int64(3)], "a": np.arange(3), "f": (1, "x")}
    save_checkpoint(path, make_model(), src_vocab=vocab, extra=extra)
    read = load_checkpoint(path)
    assert read.src_vocab == Vocab(["a", "b"])
    assert read.extra["k"] == 0.5 and read.extra["n"] == [3] and read.extra["f"] == (1, "x")
    assert read.extra["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", [np.float64, np.float32, Fraction])
def test_a_rate_of_any_kind_of_number_is_stored_as_pythons(tmp_path, kind):
    """The optimiser keeps what a sweep with np.logspace gave it."""
    path, rate = tmp_path / "m.pt", kind(1) / kind(64)
    config = TrainConfig(epochs=1, learning_rate=rate, weight_decay=rate)
    run(make_model(), make_loader(EXAMPLES, 4), config, checkpoint_path=path)
    assert load_checkpoint(path).optimizer["param_groups"][0]["lr"] == 1 / 64


def test_an_optimiser_of_the_callers_is_stored_as_data(tmp_path):
    path, model = tmp_path / "m.pt", make_model()
    save_checkpoint(path, model, optimizer=torch.optim.SGD(model.parameters(), np.float64(0.5)))
    assert load_checkpoint(path).optimizer["param_groups"][0]["lr"] == 0.5
    foreign = torch.optim.SGD(model.parameters(), Fraction(1, 2))
    with pytest.raises(CheckpointError, match=r"optimizer\['param_groups'\].*\['lr'\] is a Fracti"):
        save_checkpoint(path, model, optimizer=foreign)


class Configured(Seq2Seq):
    """Its configuration and its state are what the test says."""

    config_, state_ = {}, torch.zeros(1)

    def to_dict(self):
        return self.config_

    def get_extra_state(self):
        return self.state_

    def set_extra_state(self, state):
        pass


def configured(**attributes):
    kind = type("Configured", (Configured,), attributes)
    return kind(Seq2SeqConfig(12, 12, embed_size=8, hidden_size=8))


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        *(
            (make_model, {"extra": {"deep": [0, thing]}}, r"extra\['deep'\]\[1\] is a \w+")
            for thing in (Path("x"), {3}, object(), np.array(["a"]), lambda: 0)
        ),
        (make_model, {"extra": [1]}, "extra must be a dict, but it is a list"),
        (lambda: configured(config_={"a": Path("x")}), {}, r"config\['a'\] is a \w*Path"),
        (lambda: configured(config_=[1]), {}, "config must be a dict, but it is a list"),
        (lambda: configured(state_={"a": 1}), {}, "hold _extra_state, a dict"),
        (make_model, {"src_vocab": ["a"]}, "src_vocab must be a Vocab, but it is a list"),
        (make_model, {"tgt_vocab": "a"}, "tgt_vocab must be a Vocab, but it is a str"),
    ],
)
def test_what_no_file_can_hold_is_refused_before_training(tmp_path, model, options, says):
    calls = []
    with pytest.raises(CheckpointError, match=says):
        run(
            model(),
            make_loader(EXAMPLES, 4),
            checkpoint_path=tmp_path / "m.pt",
            loss_function=lambda *a: calls.append(a),
            **options,
        )
    assert not calls and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrap", "says"),
    [
        (nn.DataParallel, "Give the model inside, .module"),
        (lambda m: torch.compile(m, backend="eager"), r"call model.compile\(\)"),
    ],
)
def test_wrapped_models_are_refused_before_training(tmp_path, wrap, says):
    """nanoGPT#325."""
    with pytest.raises(CheckpointError, match=says):
        run(wrap(make_model()), make_loader(EXAMPLES, 4), checkpoint_path=tmp_path / "m.pt")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- settings and callables


@pytest.mark.parametrize(
    "make",
    [
        lambda: TrainConfig(learning_rate="1e-3"),
        lambda: TrainConfig(clip_norm="1"),
        lambda: TrainConfig(weight_decay="0"),
        lambda: TrainConfig(label_smoothing="0.1"),
        lambda: TrainConfig(average_from="0.5"),
        lambda: TrainConfig(learning_rate=None),
        lambda: Seq2SeqConfig(12, 12, dropout="0.1"),
        lambda: Seq2SeqConfig(12, 12, dropout=True),
        lambda: search(length_penalty="1"),
        lambda: rescore(make_model(), *SOURCE, [[[5, 2]]], length_penalty=None),
        lambda: sequence_loss(torch.zeros(1, 1, 4), IDS, IDS > 0, label_smoothing="0.1"),
        lambda: train(clip_norm="1"),
    ],
)
def test_numbers_that_came_as_text_are_named(make):
    """YAML reads 1e-3 as text."""
    with pytest.raises(
        TypeError, match=r"\w+ must be a number, but it is .* \((str|NoneType|bool)\)"
    ):
        make()


@pytest.mark.parametrize("returned", [torch.tensor(1.0), (torch.tensor(1.0), 3), None])
def test_a_loss_function_that_returns_no_sum_is_named(returned):
    loader = make_loader(EXAMPLES, 4)
    with pytest.raises(TypeError, match="loss_function must return a LossSum"):
        run(make_model(), loader, loss_function=lambda *a: returned)
    with pytest.raises(TypeError, match="loss_function must return a LossSum"):
        evaluate(make_model(), loader, loss_function=lambda *a: returned)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TrainConfig(cosine_decay="no"),
        lambda: TrainConfig(keep_best="False"),
        *(
            lambda name=name: Seq2SeqConfig(12, 12, **{name: "no"})
            for name in ("bidirectional", "attend_first", "tie_embeddings", "residual")
        ),
        lambda: LatentConfig(12, bidirectional=0),
        lambda: search(early_stopping="never"),  # of Transformers, where it means the contrary
    ],
)
def test_a_text_in_place_of_true_or_false_is_named(make):
    with pytest.raises(TypeError, match=r"\w+ must be True or False, but it is ('no'|'F|'nev|0)"):
        make()


def test_an_integer_of_numpys_is_refused_with_the_way_out():
    """Sizes are multiplied here, and NumPy's uint8 overflows without an error."""
    with pytest.raises(TypeError, match=r"epochs must be an integer.*: give int\(epochs\)\.$"):
        TrainConfig(epochs=np.uint8(2))
    with pytest.raises(TypeError, match=r"epochs must be an integer, but it is True\.$"):
        TrainConfig(epochs=True)


def test_a_length_penalty_of_numpys_does_not_round_the_scores():
    (ours,), (theirs,) = (search(length_penalty=kind(0.5)) for kind in (float, np.float32))
    assert ours == theirs and type(theirs[0].score) is float


@pytest.mark.parametrize("ids", [np.array([5, 6]), torch.tensor([5, 6]), (5, np.int32(6))])
def test_ids_of_a_search_may_be_integers_of_any_kind(ids):
    for name in ("prefix", "banned_ids"):
        assert search(**{name: ids})[0][0].tokens == search(**{name: [5, 6]})[0][0].tokens
        with pytest.raises(TypeError, match=f"{name} must hold integer ids, but one is True"):
            search(**{name: [True]})
    scored = rescore(make_model(), *SOURCE, [[ids]])[0][0]
    assert scored == rescore(make_model(), *SOURCE, [[[5, 6]]])[0][0]


def test_an_optimiser_of_another_model_is_refused():
    """Made before the model was loaded anew or copied; the loss would never fall."""
    with pytest.raises(ValueError, match="optimiser holds none of the model's weights"):
        train(optimizer=torch.optim.SGD(make_model().parameters(), 0.1))
    model = make_model()  # some of them is enough
    assert train(model, torch.optim.SGD(model.decoder.parameters(), 0.1)).tokens > 0


@pytest.mark.parametrize("norm", [0, -1.0, float("nan")])
def test_a_norm_that_spoils_a_step_is_refused(norm):
    model = make_model()
    before = [weight.clone() for weight in model.parameters()]
    with pytest.raises(ValueError, match="clip_norm must be > 0 or None"):
        train(model, clip_norm=norm)
    assert all(map(torch.equal, before, model.parameters()))


def without_gradient(model, batch, step):
    return teacher_forced_loss()(model, batch, step).detach()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: train(loss_function=without_gradient), ValueError, "loss has no gradient"),
        (
            lambda: run(make_model().requires_grad_(False), [collate(EXAMPLES)]),
            ValueError,
            "loss has no gradient",
        ),
        (
            lambda: train(loss_function=lambda *a: LossSum(torch.zeros(()), 3)),
            TypeError,
            "The tokens of the loss must be a tensor without dimensions, but it is 3",
        ),
        (
            lambda: train(loss_function=lambda *a: LossSum(torch.zeros(4), torch.zeros(()))),
            TypeError,
            r"The total of the loss .* it is \[4\]: sum over the batch",
        ),
        (lambda: train(batches=collate(EXAMPLES)), TypeError, "must be a list of batches"),
        (lambda: run(make_model(), DataLoader(EXAMPLES, 4)), TypeError, "collate_fn=batching.coll"),
        (lambda: evaluate(make_model(), [EXAMPLES]), TypeError, "but one is a list"),
        (lambda: run(make_model(), [collate(EXAMPLES)], resume="m.pt"), TypeError, "load_checkpoi"),
    ],
)
def test_what_training_cannot_use_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_an_empty_validation_set_is_refused_before_the_first_epoch():
    calls = []
    with pytest.raises(ValueError, match="valid_loader gives no batches"):
        fit(
            make_model(),
            make_loader(EXAMPLES, 4),
            [],
            CONFIG,
            loss_function=lambda *a: calls.append(a),
        )
    assert not calls


@pytest.mark.parametrize("which", ["train_loader", "valid_loader"])
def test_a_loader_that_can_be_read_once_is_refused_at_the_start(which):
    loader = make_loader(EXAMPLES, 4)
    loaders = {"train_loader": loader, "valid_loader": loader, which: iter(list(loader))}
    calls = []

    def loss(*a):
        calls.append(a)
        return LossSum(torch.zeros(()), torch.ones((), dtype=torch.int64))

    with pytest.raises(TypeError, match=f"{which} must be read once an epoch"):
        fit(make_model(), *loaders.values(), CONFIG, loss_function=loss, progress=False)
    assert not calls


@pytest.mark.parametrize("state", [torch.zeros(1, 3), None, {"h": torch.zeros(1, 3)}])
def test_a_state_without_the_protocols_select_is_named(state):
    class Model:
        def start(self, src, src_lengths):
            return state

    with pytest.raises(TypeError, match=r"must return a state with select\(rows\)"):
        greedy_search(Model(), torch.tensor([[5, 2]]), torch.tensor([2]), max_new_tokens=2)


# ---------------------------------------------------------------- cost


def test_a_long_line_makes_a_batch_of_its_own():
    """marian#223: 63 short lines beside one of 2,000 words were padded to 2,000."""
    widths = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = make_model()

        def start(self, src, lengths):
            widths.append(tuple(src.shape))
            return self.model.start(src, lengths)

        def step(self, tokens, state):
            return self.model.step(tokens, state)

    vocab = Vocab([f"w{n}" for n in range(8)])
    lines = ["w1 w2"] * 63 + [" ".join(["w3"] * 2000)]
    found = Translator(Spy(), vocab, vocab)(lines, max_new_tokens=2, num_beams=2)
    assert len(found) == 64 and len(found[63].source) == 2000
    assert sorted(widths) == [(1, 2001), (63, 3)]
    assert sum(itertools.starmap(int.__mul__, widths)) < 2 * sum(len(f.source) + 1 for f in found)
