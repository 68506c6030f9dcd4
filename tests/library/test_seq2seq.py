"""The whole model: teacher forcing by the token, the decoding protocol, and its configuration."""

from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from torch import nn

from seq2seq_lib.attention import AdditiveAttention, DotAttention, GeneralAttention
from seq2seq_lib.batching import collate
from seq2seq_lib.decoder import AttentionDecoder, BahdanauDecoder, Decoder
from seq2seq_lib.encoder import Encoder, EncoderOutput
from seq2seq_lib.losses import sequence_loss
from seq2seq_lib.masks import masked_mean
from seq2seq_lib.runtime import get_device
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig, make_attention, make_decoder, make_encoder
from seq2seq_lib.vocab import PAD_ID, UNK_ID

DEVICE = get_device()
SRC_V, TGT_V, E, H = 11, 13, 5, 8
# unsorted lengths, one of them 1 and one full on each side; S = 7, T = 6, B = 5
EXAMPLES = [
    ([5, 6, 7], []),
    ([4, 9, 8, 7, 10, 5], [7, 5, 12]),
    ([], [8, 9, 10, 11, 12]),
    ([10, 4], [6]),
    ([9], [12, 4]),
]
BATCH = collate(EXAMPLES).to(DEVICE)
B, T = BATCH.tgt_in.shape
# float64, two layers, six steps: some hundred roundings of 1e-16 each
TIGHT = {"atol": 1e-13, "rtol": 1e-11}
DECODERS = {
    "none": {"attention": "none"},
    "after": {"attention": "general"},
    "before": {"attention": "additive", "attend_first": True},
}


def make(seed=1, **options):
    sizes = {"embed_size": E, "hidden_size": H, "dropout": 0.0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Seq2Seq(Seq2SeqConfig(SRC_V, TGT_V, **{**sizes, **options})).to(
            DEVICE, torch.float64
        )


def every_model(test):
    for name, values in (
        ("decoder", DECODERS),
        ("bidirectional", [True, False]),
        ("num_layers", [1, 2]),
        ("cell", ["gru", "lstm"]),
    ):
        test = pytest.mark.parametrize(name, values)(test)
    return test


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def other_words(batch, seed=5):
    """The same batch with other words in the target, BOS and lengths unchanged."""
    words = torch.randint(UNK_ID, TGT_V, (B, T), generator=seeded(seed)).to(DEVICE)
    words[:, 0] = batch.tgt_in[:, 0]
    return replace(batch, tgt_in=words)


# --- the decoding protocol -----------------------------------------------------------------------


@every_model
def test_a_teacher_forced_pass_equals_the_protocol_step_by_step(
    decoder, bidirectional, num_layers, cell
):
    model = make(**DECODERS[decoder], bidirectional=bidirectional, num_layers=num_layers, cell=cell)
    logits = model(BATCH)
    assert logits.shape == (B, T, TGT_V)
    state = model.start(BATCH.src, BATCH.src_lengths)
    for t in range(T):
        log_probs, state = model.step(BATCH.tgt_in[:, t], state)
        torch.testing.assert_close(log_probs, logits[:, t].log_softmax(-1), **TIGHT)
    output = model.teacher_forced(BATCH)
    assert torch.equal(output.logits, logits)
    if decoder == "none":
        assert output.attention is None
    else:
        assert (output.attention.masked_select(~BATCH.src_mask.unsqueeze(1)) == 0).all()
        torch.testing.assert_close(state.attention, output.attention[:, -1], **TIGHT)


@every_model
def test_a_sentence_alone_equals_the_sentence_in_a_batch(decoder, bidirectional, num_layers, cell):
    model = make(**DECODERS[decoder], bidirectional=bidirectional, num_layers=num_layers, cell=cell)
    parameters = list(model.parameters())
    together = model(BATCH)
    alone = [model(collate([example]).to(DEVICE)) for example in EXAMPLES]
    for row, length in enumerate(BATCH.tgt_lengths.tolist()):
        torch.testing.assert_close(together[row, :length], alone[row][0], **TIGHT)
    losses = [
        sequence_loss(logits, batch.tgt_out, batch.tgt_mask)
        for logits, batch in [
            (together, BATCH),
            *((x, collate([e]).to(DEVICE)) for x, e in zip(alone, EXAMPLES, strict=True)),
        ]
    ]
    whole, parts = losses[0], sum(losses[1:])
    assert whole.tokens == parts.tokens
    for ours, theirs in zip(
        *(torch.autograd.grad(x.total, parameters) for x in (whole, parts)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-11)


def test_a_step_returns_log_probabilities_in_float32_from_half_precision():
    model = make().to(torch.bfloat16)
    log_probs, _ = model.step(BATCH.tgt_in[:, 0], model.start(BATCH.src, BATCH.src_lengths))
    assert log_probs.dtype == torch.float32
    # float32: a sum of 13 probabilities
    torch.testing.assert_close(
        log_probs.exp().sum(-1), torch.ones(B, device=DEVICE), atol=1e-5, rtol=0
    )


# --- teacher forcing -----------------------------------------------------------------------------


@every_model
def test_ratio_one_is_the_parallel_pass(decoder, bidirectional, num_layers, cell):
    model = make(**DECODERS[decoder], bidirectional=bidirectional, num_layers=num_layers, cell=cell)
    logits = model(BATCH)
    assert torch.equal(model(BATCH, teacher_forcing_ratio=1.0), logits)
    assert torch.equal(model(BATCH, 1.0), logits)
    # so many coins never fall on 1e-9: token by token, and the gold token every time
    slow = model(BATCH, 1 - 1e-9, seeded(0))
    torch.testing.assert_close(slow, logits, **TIGHT)


def test_ratio_one_draws_no_coin_and_takes_one_call():
    model, calls = make(), []
    model.decoder.register_forward_hook(lambda *_: calls.append(1))
    before = torch.get_rng_state()
    model(BATCH)
    assert torch.equal(torch.get_rng_state(), before)
    assert calls == [1]


@pytest.mark.parametrize("decoder", DECODERS)
def test_ratio_zero_never_reads_gold(decoder):
    model = make(**DECODERS[decoder])
    logits = model(BATCH, 0.0, seeded(0))
    assert torch.equal(model(other_words(BATCH), 0.0, seeded(1)), logits)
    tokens, state = BATCH.tgt_in[:, 0], model.start(BATCH.src, BATCH.src_lengths)
    for t in range(T):  # it reads what it said last
        log_probs, state = model.step(tokens, state)
        torch.testing.assert_close(logits[:, t].log_softmax(-1), log_probs, **TIGHT)
        tokens = log_probs.argmax(-1)


@pytest.mark.parametrize("decoder", DECODERS)
def test_gradients_flow_through_a_free_run(decoder):
    model = make(**DECODERS[decoder])
    logits = model(BATCH, 0.0)
    (logits[:, -1] ** 2).sum().backward()
    assert all((p.grad != 0).any() for p in model.parameters())


class Recorder(nn.Module):
    """A decoder that notes what it reads, and always says the token after the one it read."""

    def __init__(self):
        super().__init__()
        self.read = []

    def start(self, encoded):
        return None

    def step(self, tokens, state):
        self.read.append(tokens)
        return nn.functional.one_hot((tokens + 1) % TGT_V, TGT_V).double(), state

    def tokens(self):
        return torch.stack(self.read, 1)  # [B, T]


def coins(ratio, generator=None, rows=40, steps=30):
    """Where the gold token was read: bool [B, T - 1]. Gold words and own words never meet."""
    model = Seq2Seq(Seq2SeqConfig(SRC_V, TGT_V, E, H), decoder=Recorder())
    gold = torch.randint(UNK_ID, TGT_V, (rows, steps), generator=seeded(2))
    batch = collate([([5], row[1:].tolist()) for row in gold])
    model(batch, ratio, generator)
    read = model.decoder.tokens()
    assert torch.equal(read[:, 0], batch.tgt_in[:, 0])
    own = (read[:, :-1] + 1) % TGT_V
    is_gold, is_own = read[:, 1:] == batch.tgt_in[:, 1:], read[:, 1:] == own
    assert (is_gold | is_own).all()  # a step reads the one or the other
    return is_gold, is_gold != is_own  # the second: where the two can be told apart


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_the_coin_is_drawn_for_every_token_of_every_row(ratio):
    gold, clear = coins(ratio, seeded(3))
    assert clear.double().mean() > 0.8
    share = gold[clear].double().mean().item()
    # some 1000 coins: a standard deviation of 0.016 at most
    assert share == pytest.approx(ratio, abs=0.06)
    for line, told in [*zip(gold, clear, strict=True), *zip(gold.T, clear.T, strict=True)]:
        assert 0 < line[told].double().mean() < 1  # both occur within each row and at each step


def test_ratio_zero_and_almost_one_are_all_own_and_all_gold():
    gold, clear = coins(0.0)
    assert not gold[clear].any()
    gold, clear = coins(1 - 1e-9)
    assert gold.all()


def test_a_generator_makes_the_coins_repeatable_and_leaves_the_global_one_alone():
    first, again, other = (coins(0.5, seeded(seed))[0] for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    model = make()
    before = torch.get_rng_state()
    a = model(BATCH, 0.5, seeded(3))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(model(BATCH, 0.5, seeded(3)), a)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        assert torch.equal(model(BATCH, 0.5), a)  # without one: the global generator


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_that_is_no_probability_is_refused(ratio):
    with pytest.raises(ValueError, match=r"teacher_forcing_ratio must be in \[0, 1\]"):
        make()(BATCH, ratio)


@pytest.mark.parametrize("ratio", ["half", None])
def test_a_ratio_that_is_no_number_is_refused(ratio):
    with pytest.raises(TypeError, match=r"must be a number in \[0, 1\]"):
        make()(BATCH, ratio)


# --- configuration -------------------------------------------------------------------------------


def test_what_a_configuration_says_is_built():
    model = make(cell="lstm", num_layers=2, dropout=0.3, attention="dot", tie_embeddings=True)
    assert isinstance(model.encoder.rnn, nn.LSTM) and isinstance(model.decoder.rnn, nn.LSTM)
    for part, size in ((model.encoder, SRC_V), (model.decoder, TGT_V)):
        assert part.embedding.weight.shape == (size, E)
        assert part.rnn.num_layers == 2
        assert part.dropout.p == part.rnn.dropout == 0.3
    assert model.encoder.rnn.bidirectional and not model.decoder.rnn.bidirectional
    assert model.encoder.rnn.hidden_size == H // 2 and model.decoder.rnn.hidden_size == H
    assert model.decoder.output.weight is model.decoder.embedding.weight
    assert not make(bidirectional=False).encoder.rnn.bidirectional


@pytest.mark.parametrize(
    ("options", "decoder", "attention"),
    [
        ({}, AttentionDecoder, GeneralAttention),
        ({"attention": "none"}, Decoder, None),
        ({"attention": "dot"}, AttentionDecoder, DotAttention),
        ({"attention": "additive"}, AttentionDecoder, AdditiveAttention),
        ({"attention": "dot", "attend_first": True}, BahdanauDecoder, DotAttention),
        ({"attention": "additive", "attend_first": True}, BahdanauDecoder, AdditiveAttention),
    ],
)
def test_the_attention_chooses_the_decoder(options, decoder, attention):
    built = make(**options).decoder
    assert type(built) is decoder
    assert attention is None or type(built.attention) is attention


def test_attentions_map_between_states_and_memory():
    assert make_attention("general", 6).key.weight.shape == (6, 6)
    assert make_attention("additive", 6).query.weight.shape == (6, 6)
    assert make_attention("dot", 6).scaled


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_model_comes_back_from_its_dictionary(decoder):
    model = make(**DECODERS[decoder], cell="lstm", num_layers=2, bidirectional=False, dropout=0.25)
    config = model.to_dict()
    assert all(isinstance(value, int | float | str) for value in config.values())
    twin = Seq2Seq.from_dict(config).to(DEVICE, torch.float64)
    assert twin.config == model.config and twin.to_dict() == config
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.eval()(BATCH), model.eval()(BATCH))
    with pytest.raises(TypeError, match="colour"):
        Seq2Seq.from_dict({**config, "colour": "red"})


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cell": "rnn"}, ValueError, "Unknown cell: 'rnn'. Valid: 'gru', 'lstm'"),
        (
            {"attention": "luong"},
            ValueError,
            "Unknown attention: 'luong'. Valid: 'none', 'dot', 'general', 'additive'",
        ),
        (
            {"attention": "none", "attend_first": True},
            ValueError,
            "attend_first needs an attention.* 'dot', 'general', 'additive'",
        ),
        ({"dropout": 1.0}, ValueError, r"dropout must be in \[0, 1\), but it is 1.0"),
        ({"dropout": -0.1}, ValueError, "dropout must be in"),
        ({"num_layers": 0}, ValueError, "num_layers must be ≥ 1"),
        ({"embed_size": 0}, ValueError, "embed_size must be ≥ 1"),
        ({"hidden_size": -2}, ValueError, "hidden_size must be ≥ 1"),
        ({"hidden_size": 8.0}, TypeError, "hidden_size must be an integer"),
        ({"src_vocab_size": 0}, ValueError, "src_vocab_size must be ≥ 1"),
        ({"tgt_vocab_size": 0}, ValueError, "tgt_vocab_size must be ≥ 1"),
    ],
)
def test_a_configuration_that_makes_no_model_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        Seq2SeqConfig(**{"src_vocab_size": SRC_V, "tgt_vocab_size": TGT_V, **change})


def test_an_odd_size_is_refused_where_it_cannot_be_halved():
    with pytest.raises(ValueError, match="hidden_size must be even"):
        make(hidden_size=7)
    assert make(hidden_size=7, bidirectional=False)(BATCH).shape == (B, T, TGT_V)


def test_a_configuration_is_fixed_and_compares_by_value():
    config = Seq2SeqConfig(SRC_V, TGT_V)
    assert config == Seq2SeqConfig(SRC_V, TGT_V) != Seq2SeqConfig(SRC_V, TGT_V + 1)
    with pytest.raises(FrozenInstanceError):
        config.cell = "lstm"


def test_defaults_are_the_documented_ones():
    assert Seq2Seq(Seq2SeqConfig(SRC_V, TGT_V)).to_dict() == {
        "src_vocab_size": SRC_V,
        "tgt_vocab_size": TGT_V,
        "embed_size": 128,
        "hidden_size": 256,
        "num_layers": 1,
        "dropout": 0.1,
        "cell": "gru",
        "bidirectional": True,
        "attention": "general",
        "attend_first": False,
        "tie_embeddings": False,
        "residual": False,
    }


def test_an_unknown_attention_lists_the_known():
    with pytest.raises(ValueError, match="Valid: 'dot', 'general', 'additive'"):
        make_attention("none", 6)


# --- pieces of one's own -------------------------------------------------------------------------


def test_an_encoder_or_decoder_of_ones_own_is_used():
    config = make().config
    encoder, decoder = make_encoder(config), make_decoder(config)
    assert isinstance(encoder, Encoder) and isinstance(decoder, AttentionDecoder)
    model = Seq2Seq(config, encoder=encoder, decoder=decoder)
    assert model.encoder is encoder and model.decoder is decoder
    assert Seq2Seq(config, encoder=encoder).encoder is encoder
    assert Seq2Seq(config, decoder=decoder).decoder is decoder


def test_a_piece_that_counts_as_empty_is_still_used():
    class Empty(Recorder):
        def __len__(self):
            return 0  # so that bool() of it is False

    encoder, decoder = Empty(), Empty()
    model = Seq2Seq(make().config, encoder=encoder, decoder=decoder)
    assert model.encoder is encoder and model.decoder is decoder


def test_an_encoder_without_rnn_works_with_every_decoder():
    class Means(nn.Module):
        """Embeddings as memory, their mean as the state: the interface is all that counts."""

        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(SRC_V, H)

        def forward(self, src, src_lengths):
            memory, mask = self.embedding(src), src != PAD_ID
            return EncoderOutput(memory, masked_mean(memory, mask, dim=1).unsqueeze(1), mask)

    for options in DECODERS.values():
        config = Seq2SeqConfig(SRC_V, TGT_V, E, H, dropout=0.0, **options)
        model = Seq2Seq(config, encoder=Means()).to(DEVICE)
        assert model(BATCH).shape == model(BATCH, 0.5).shape == (B, T, TGT_V)


def test_arguments_are_not_changed():
    before = {name: value.clone() for name, value in vars(BATCH).items()}
    model = make(num_layers=2, cell="lstm")
    model(BATCH)
    model(BATCH, 0.5)
    assert all(torch.equal(value, before[name]) for name, value in vars(BATCH).items())
