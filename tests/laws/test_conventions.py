"""What honest code differs in is an option: under the right one it holds, and the verdict tells."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib import laws
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.conventions import Layout
from seq2seq_lib.laws.plain_beam import PlainBeam
from seq2seq_lib.masks import sequence_mask
from tests.laws.test_laws_report_everything import EMBED, OUT, RNN, V_SRC, WORDS, H, V
from tests.laws.test_reads_source import Reader

Conventions = laws.Conventions
PAD_IS_BOS, PAD_IS_EOS = Conventions(0, 0, 1), Conventions(9, 9, 9)


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize(
    "conventions", [PAD_IS_BOS, PAD_IS_EOS, Conventions(1, 2, 2), Conventions(5, 0, 7, (3,))]
)
def test_probes_speak_the_ids_they_are_told(conventions):
    batch = probes.make_batch(conventions=conventions)
    assert (batch.tgt_in[:, 0] == conventions.bos_id).all()
    rows = torch.arange(len(batch))
    for ids, lengths, mask in (
        (batch.src, batch.src_lengths, batch.src_mask),
        (batch.tgt_out, batch.tgt_lengths, batch.tgt_mask),
    ):
        assert (ids[rows, lengths - 1] == conventions.eos_id).all()
        assert (ids[~mask] == conventions.pad_id).all()
        inner = mask.clone()
        inner[rows, lengths - 1] = False
        assert not set(ids[inner].tolist()) & set(conventions.special)


def test_a_source_may_end_without_an_end():
    """Then its last token is a word, and must be read as well."""

    def bag(batch, lengths):
        mask = sequence_mask(lengths, batch.src.size(1))[..., None]
        context = (EMBED(batch.src) * mask).sum(1, keepdim=True)
        return OUT(torch.tanh(WORDS(batch.tgt_in) + context))

    words_alone = Conventions(source_eos=False)
    batch = probes.make_batch(conventions=words_alone)
    last = batch.src[torch.arange(len(batch)), batch.src_lengths - 1]
    assert not set(last.tolist()) & set(words_alone.special)
    for missed, verdicts in ((0, [True, True]), (1, [True, False])):
        judged = [
            laws.reads_source(lambda b: bag(b, b.src_lengths - missed), conventions=c)  # noqa: B023
            for c in (Conventions(), words_alone)
        ]
        assert [verdict.holds for verdict in judged] == verdicts
        assert "sources end without EOS" in str(judged[1])


def test_conventions_are_read_from_a_configuration():
    class Config:
        pad_token_id, bos_token_id, eos_token_id = None, 3, [7, 8]
        decoder_start_token_id = None

    found = Conventions.of(Config)
    assert (found.pad_id, found.bos_id, found.eos_id) == (7, 3, 7)
    assert found.said()[0] == "PAD = EOS = 7, BOS = 3"
    with pytest.raises(ValueError, match="names no bos_id"):
        Config.bos_token_id = None
        Conventions.of(Config)
    with pytest.raises(ValueError, match="-100 is a label"):
        Conventions(pad_id=-100)


@pytest.mark.parametrize(("decoder_size", "size"), [({}, 30), ({"decoder_vocab_size": 12}, 12)])
def test_a_decoder_with_a_vocabulary_of_its_own_is_asked_for_its_own_tokens(decoder_size, size):
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    model = nn.Module()  # a Marian model is configured like this
    model.config = SimpleNamespace(is_encoder_decoder=True, vocab_size=30, **ids, **decoder_size)
    sizes = laws.of_hugging_face(model).sizes
    assert (sizes["src_vocab_size"], sizes["tgt_vocab_size"]) == (30, size)


class CountsPositions(nn.Module):
    """A decoder-only model, configured like GPT-2, whose logits are the positions it was given."""

    def __init__(self):
        super().__init__()
        ids = {"pad_token_id": 2, "bos_token_id": 2, "eos_token_id": 2}
        self.config = SimpleNamespace(is_encoder_decoder=False, vocab_size=11, **ids)

    def forward(self, input_ids, attention_mask, position_ids):
        return SimpleNamespace(logits=position_ids[..., None].float())


def test_positions_of_a_prompt_and_its_target_are_counted_from_the_first_real_token():
    found = laws.of_hugging_face(CountsPositions())
    batch = probes.make_batch(conventions=found.conventions)
    given = Layout(found.conventions, batch.src_lengths).batch(batch)  # padded on the left
    positions = found.logits(given)[..., 0].long()
    for row, prompt, length in zip(positions, batch.src_lengths, batch.tgt_lengths, strict=True):
        assert row[:length].tolist() == list(range(prompt, prompt + length))


def hides_pads_by_id(batch, pad_id):
    """Attention of a decoder over what it has read, PADs hidden."""
    words = WORDS(batch.tgt_in)
    T = words.size(1)
    seen = (batch.tgt_in != pad_id)[:, None] & torch.ones(T, T, dtype=torch.bool).tril()
    scores = (words @ words.transpose(1, 2)).masked_fill(~seen, float("-inf"))
    return OUT(scores.softmax(-1) @ words)


def test_a_bug_that_only_pad_equal_to_start_provokes():
    """T5, Marian: a mask by id hides the start token, and the first row of attention is empty."""
    for conventions in (Conventions(), PAD_IS_BOS):
        verdict = laws.parallel_stepwise(
            lambda b, c=conventions: hides_pads_by_id(b, c.pad_id), conventions=conventions
        )
        assert verdict.holds == (conventions == Conventions())
    assert "a row that is masked everywhere" in verdict.look_at


def test_a_loss_that_ignores_pad_ignores_every_end_if_they_are_one():
    """https://github.com/unslothai/unsloth/issues/416"""

    def loss(logits, targets, mask):
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=4)

    options = {"empty_batch": False}
    verdict = laws.loss_ledger(loss, conventions=Conventions(4, 1, 2), **options)
    assert verdict and "PAD = 4, BOS = 1, EOS = 2" in str(verdict).splitlines()[-1]
    assert "pads on" not in str(verdict)  # a loss has no sides
    verdict = laws.loss_ledger(loss, conventions=Conventions(4, 4, 4), **options)
    assert not verdict and "EOS must be scored" in str(verdict)


# ---------------------------------------------------------------- order, sides, axes


def sorted_encoder(src, lengths):
    memory, state = RNN(pack_padded_sequence(EMBED(src), lengths, batch_first=True))
    return pad_packed_sequence(memory, batch_first=True)[0], state.transpose(0, 1)


def test_sorted_and_trimmed_batches_are_fed_sorted_and_trimmed():
    assert not laws.batch_invariance(sorted_encoder)
    conventions = Conventions(sorted_by_length=True, trimmed=True)
    verdict = laws.batch_invariance(sorted_encoder, conventions=conventions)
    assert verdict and "longest first" in str(verdict) and "wider" in str(verdict)

    def wrong(src, lengths):
        assert (lengths[:-1] >= lengths[1:]).all()
        outputs, state = RNN(EMBED(src))
        return outputs, state.transpose(0, 1)

    assert not laws.batch_invariance(wrong, conventions=Conventions(sorted_by_length=True))


def test_outputs_of_sorted_sentences_come_back_in_their_order():
    def decode(src, lengths):
        assert lengths.tolist() == sorted(lengths.tolist(), reverse=True)
        return [row[:length].tolist() for row, length in zip(src, lengths, strict=True)]

    conventions = Conventions(sorted_by_length=True)
    assert laws.batch_invariance(decode=decode, conventions=conventions)
    turned = laws.batch_invariance(decode=lambda *b: decode(*b)[::-1], conventions=conventions)
    assert not turned


def test_time_may_come_first():
    rnn, decoder = nn.GRU(H, H), nn.GRU(H, H)

    def encode(src, lengths):
        packed = pack_padded_sequence(EMBED(src), lengths, enforce_sorted=False)
        memory, state = rnn(packed)
        return pad_packed_sequence(memory)[0], state

    def logits(batch):
        return OUT(decoder(WORDS(batch.tgt_in), encode(batch.src, batch.src_lengths)[1])[0])

    def start(src, lengths):
        return encode(src, lengths)[1]

    def step(tokens, state):
        outputs, state = decoder(WORDS(tokens[None]), state)
        return OUT(outputs[0]), state

    conventions = Conventions(time_first=True)
    for order in (conventions, Conventions(time_first=True, sorted_by_length=True)):
        assert laws.batch_invariance(encode, logits=logits, conventions=order)
        assert laws.parallel_stepwise(logits, start, step, conventions=order)
        assert laws.reads_source(logits, conventions=order)

    def unpacked(src, lengths):
        return rnn(EMBED(src))

    verdict = laws.batch_invariance(unpacked, conventions=conventions)
    assert verdict.status == "BROKEN" and "not packed" in verdict.look_at


def test_states_may_have_their_layers_first():
    def encode(src, lengths):
        return sequence_free(src, lengths)

    def sequence_free(src, lengths):
        packed = pack_padded_sequence(EMBED(src), lengths, batch_first=True, enforce_sorted=False)
        return None, RNN(packed)[1]

    assert laws.batch_invariance(encode).status == "NOT JUDGED"
    assert laws.batch_invariance(encode, conventions=Conventions(state_axis=1))


PLACES = nn.Embedding(32, H)


def left_padded(from_mask):
    def logits(batch):
        places = torch.arange(batch.src.size(1)).expand_as(batch.src)
        if from_mask:
            places = (batch.src_mask.long().cumsum(1) - 1).clamp(min=0)
        read = (EMBED(batch.src) * PLACES(places)) * batch.src_mask[..., None]
        return OUT(WORDS(batch.tgt_in) + read.sum(1, keepdim=True))

    return logits


def test_pads_on_the_left_need_positions_of_their_own():
    left = Conventions(pad_side="left")
    assert laws.batch_invariance(logits=left_padded(True), conventions=left)
    verdict = laws.batch_invariance(logits=left_padded(False), conventions=left)
    assert verdict.status == "BROKEN" and "position_ids = attention_mask.cumsum" in verdict.look_at
    assert laws.batch_invariance(logits=left_padded(False))  # on the right they do no harm


def test_one_target_from_bos_to_eos():
    batch = probes.make_batch(conventions=PAD_IS_EOS)
    whole = laws.whole_target(batch)
    for row, length in enumerate(batch.tgt_lengths.tolist()):
        assert whole[row, : length + 1].tolist() == [9, *batch.tgt_out[row, :length].tolist()]
        assert (whole[row, length + 1 :] == 9).all()
    assert (laws.labels(batch) == -100).eq(~batch.tgt_mask).all()


# ---------------------------------------------------------------- losses


def kl_smoothed(logits, targets, mask, smoothing=0.1):
    """The Annotated Transformer's and JoeyNMT's: a KL divergence, nothing on PAD."""
    share = torch.full_like(logits, smoothing / (logits.size(-1) - 2))
    share.scatter_(-1, targets[..., None], 1 - smoothing)
    share[..., 0] = 0
    each = F.kl_div(logits.log_softmax(-1), share, reduction="none").sum(-1)
    return each.masked_fill(~mask, 0).sum(), mask.sum()


def torch_smoothed(logits, targets, mask):
    labels = targets.masked_fill(~mask, -100).flatten()
    total = F.cross_entropy(logits.flatten(0, 1), labels, reduction="sum", label_smoothing=0.1)
    return total, mask.sum()


def others_smoothed(logits, targets, mask):
    """fairseq's: ε/(V − 1) on every other word."""
    log_probs, V = logits.log_softmax(-1), logits.size(-1)
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]
    each = 0.9 * nll + 0.1 / (V - 1) * (-log_probs.sum(-1) - nll)
    return each.masked_fill(~mask, 0).sum(), mask.sum()


@pytest.mark.parametrize(
    ("loss", "formula"),
    [(torch_smoothed, "torch"), (others_smoothed, "fairseq"), (kl_smoothed, "KL divergence")],
)
def test_every_published_smoothing_is_judged_as_what_it_is(loss, formula):
    verdict = laws.loss_ledger(loss, label_smoothing=0.1)
    assert verdict and formula in str(verdict), verdict
    unsaid = laws.loss_ledger(loss)
    assert not unsaid and "label_smoothing=0.1" in unsaid.look_at and formula in unsaid.look_at
    assert not laws.loss_ledger(loss, label_smoothing=0.2)
    for pad in (0, 5):  # one of the formulas leaves out PAD, wherever it is
        ids = laws.Conventions(pad_id=pad, label_smoothing=0.1)

        def smooth(logits, targets, mask, pad=pad):
            places = torch.arange(logits.size(-1))
            places[[0, pad]] = places[[pad, 0]]  # PAD's column first, as the formulas want it
            return loss(logits[..., places], places[targets], mask)

        assert laws.loss_ledger(smooth, label_smoothing=0.1, conventions=ids)
        model = Reader()
        verdict = laws.batch_invariance(
            logits=model.logits,
            loss=lambda b, smooth=smooth: smooth(model.logits(b), b.tgt_out, b.tgt_mask),  # noqa: B023
            conventions=ids,
        )
        assert verdict, verdict
    wrong = laws.loss_ledger(lambda z, y, m: loss(z, y, torch.ones_like(m)), label_smoothing=0.1)
    assert not wrong


def per_sentence(logits, targets, mask):
    nll = -logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0] * mask
    return nll.sum() / len(mask)


def test_a_loss_a_sentence_is_a_loss():
    verdict = laws.loss_ledger(per_sentence, per="sentence")
    assert verdict and "divided by the sentences" in str(verdict)
    assert "per='sentence'" in laws.loss_ledger(per_sentence).look_at
    wrong = laws.loss_ledger(per_sentence, per="sentence_mean")
    assert "per='sentence_mean' was asked for" in wrong.look_at


def test_a_loss_may_be_stated_token_by_token():
    def focal(logits, targets):
        p = logits.softmax(-1).gather(-1, targets[..., None])[..., 0]
        return -((1 - p) ** 2) * p.clamp(min=1e-30).log()

    def mine(logits, targets, mask):
        return focal(logits, targets)[mask].sum() / mask.sum().clamp(min=1)

    verdict = laws.loss_ledger(mine, expected=focal)
    assert {c.name for c in verdict.checks if c.broken} <= {"a gap of 300 nats"}
    assert not laws.loss_ledger(lambda *a: mine(*a) * 2, expected=focal)


def test_torchs_own_loss_holds_where_no_batch_is_empty():
    def loss(logits, targets, mask):
        return nn.CrossEntropyLoss(ignore_index=0)(logits.flatten(0, 1), targets.flatten())

    verdict = laws.loss_ledger(loss)
    assert [c.name for c in verdict.checks if c.broken] == ["a batch of pads alone"]
    assert "empty_batch=False" in verdict.look_at
    verdict = laws.loss_ledger(loss, empty_batch=False)
    assert verdict and "no batch is of pads alone" in str(verdict)


# ---------------------------------------------------------------- searches


def greedy_only(model, src, lengths, num_beams, longest, n_best, alpha):
    assert (num_beams, n_best, alpha) == (1, 1, 0.0)
    return PlainBeam()(model, src, lengths, 1, longest, 1, 0.0)


def never_stops(model, src, lengths, num_beams, longest, n_best, alpha):
    return [[tokens] for tokens in laws.greedy(model, longest)(src, lengths)]


class EndForced(PlainBeam):
    """fairseq's: the last token is EOS, whatever its probability."""

    def rank(self, live, log_probs, num_beams):
        ranked = super().rank(live, log_probs, num_beams)
        last = live and len(live[0][0]) == self.longest - 1
        return [c for c in ranked if c[2] == 2] if last else ranked

    def one(self, model, state, num_beams, longest, n_best, alpha):
        self.longest = longest
        return super().one(model, state, num_beams, longest, n_best, alpha)


SHORT = {"max_new_tokens": 3, "length_penalties": (0.0,)}


def test_a_greedy_search_is_asked_for_nothing_else():
    verdict = laws.search_oracle(greedy_only, greedy_only=True)
    assert verdict and "greedy_only=True" in str(verdict)
    verdict = laws.search_oracle(never_stops, greedy_only=True)
    assert not verdict and "EOS was written and the output goes on" in verdict.look_at
    verdict = laws.search_oracle(lambda model, src, *_: [[[2]] for _ in src], greedy_only=True)
    assert not verdict and verdict.look_at.startswith("the top-1 path")


def test_a_forced_end_is_a_convention():
    verdict = laws.search_oracle(EndForced(), **SHORT)
    assert not verdict and "forced_eos=True" in verdict.look_at
    assert laws.search_oracle(EndForced(), forced_eos=True, **SHORT)


def test_a_search_of_one_width_and_one_output():
    def one(model, src, lengths, num_beams, longest, n_best, alpha):
        assert num_beams in (1, 2, 50, 3, 4)
        return PlainBeam()(model, src, lengths, num_beams, longest, 1, alpha)

    options = {"num_beams": (2,), "n_best": 1, "full_width": False, "edges": False}
    assert laws.search_oracle(one, **SHORT, **options)
    assert not laws.search_oracle(one, **SHORT)


class Translated(PlainBeam):
    """A search with the ids of Marian: its prefixes begin with PAD, its outputs end with 0."""

    def __init__(self, conventions):
        self.conventions = conventions

    def __call__(self, model, src, lengths, num_beams, longest, n_best, alpha):
        found = []
        for row in range(len(src)):
            prefix = laws.Prefix(model, src, lengths, self.conventions)
            found.append(self.search(prefix, row, num_beams, longest, n_best, alpha))
        return found

    def search(self, prefix, row, num_beams, longest, n_best, alpha):
        eos, live, done = self.conventions.eos_id, [([], 0.0)], []
        for _ in range(longest):
            rows = torch.full((len(live),), row)
            read = torch.tensor([tokens for tokens, _ in live]).long().view(len(live), -1)
            scores = prefix(rows, read).tolist()
            ranked = sorted(
                (
                    (total + score, [*tokens, token])
                    for (tokens, total), line in zip(live, scores, strict=True)
                    for token, score in enumerate(line)
                    if score > -1e9
                ),
                reverse=True,
            )
            done += [(t, w) for w, t in ranked[:num_beams] if t[-1] == eos]
            live = [(t, w) for w, t in ranked if t[-1] != eos][:num_beams]
            if not live:
                break
        hyps = [laws.Hyp(t, w, w / len(t) ** alpha) for t, w in done + live]
        return sorted(hyps, key=lambda h: -h.score)[:n_best]


@pytest.mark.parametrize("conventions", [Conventions(), Conventions(5, 5, 0), Conventions(8, 8, 8)])
def test_searches_are_judged_in_their_own_ids(conventions):
    search = Translated(conventions)
    verdict = laws.search_oracle(
        search, conventions=conventions, max_new_tokens=3, length_penalties=(0.0, 1.0)
    )
    assert verdict and "a finished hypothesis makes room" in [c.name for c in verdict.checks]
    options = {"num_beams": (2,), "max_new_tokens": 4}
    assert laws.scores_add_up(search, conventions=conventions, **options)
    if conventions != Conventions():
        assert not laws.search_oracle(search, **SHORT)


def test_a_model_that_reads_prefixes_steps():
    mask = lambda src, n: sequence_mask(n, src.size(1))[..., None]  # noqa: E731

    def scores(src, lengths, prefixes):
        context = (EMBED(src) * mask(src, lengths)).sum(1, keepdim=True)
        return OUT(torch.tanh(WORDS(prefixes).cumsum(1) + context))

    model = laws.PrefixModel(scores, "mine")
    sizes = {"src_vocab_size": V_SRC, "num_beams": (3,), "max_new_tokens": 4}
    assert laws.scores_add_up(laws.beam_search, models=[model], **sizes)

    class Unmoved(PlainBeam):
        def reorder(self, state, parents):
            return state.select(torch.zeros_like(parents))

    assert not laws.scores_add_up(Unmoved(), models=[model], **sizes)
    assert V == OUT.out_features
