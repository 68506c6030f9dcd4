"""What belongs to chapter 3's exercises alone; test_every_exercise.py asks the rest."""

import math
import re

import pytest
import torch
from torch import nn

from seq2seq_lib.course import find
from seq2seq_lib.course.ch03_encoder_decoder import few_strings, patient, word_options
from seq2seq_lib.course.ch03_encoder_decoder.ex2_blind_floor import blind_floor_spec
from seq2seq_lib.course.ch03_encoder_decoder.ex8b_test_patient import INNOCENT, SUSPECTS
from seq2seq_lib.course.ch03_encoder_decoder.probes import Script
from seq2seq_lib.course.judging.probes import fresh_generator
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID
from tests.support.answers import found

BATCHED = ("3.1", "3.5", "3.7", "3.8c")


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("id", BATCHED)
def test_probes_hold_every_edge(id):
    for seed in range(5):
        kinds = set()
        for probe in find(id).task.probes(fresh_generator(seed)):
            n = probe.args["lengths"]
            first = next(probe.args[name] for name in ("outputs", "src", "embedded")
                         if name in probe.args)  # fmt: skip
            B, S = first.shape[:2]
            assert 1 <= n.min() and n.max() <= S
            kinds |= {"one row"} if B == 1 else {"rows"}
            kinds |= {"one column"} if S == 1 else set()
            kinds |= {"one cell"} if (B, S) == (1, 1) else set()
            kinds |= {"wide"} if n.max() < S else set()
            kinds |= {"equal"} if B > 1 and S > 1 and n.min() == n.max() else set()
            kinds |= {"unsorted"} if B > 2 and n[0] not in (n.min(), n.max()) else set()
        assert kinds == {"one row", "rows", "one column", "one cell", "wide", "equal", "unsorted"}


def test_zero_is_a_word_somewhere_and_pads_hold_words_elsewhere():
    words_at_pads = zero_inside = False
    for probe in find("3.5").task.probes(fresh_generator(1)):
        src, n = probe.args["src"], probe.args["lengths"]
        inside = torch.arange(src.size(1)) < n[:, None] - 1
        behind = torch.arange(src.size(1)) >= n[:, None]
        zero_inside |= bool((src[inside] == 0).any())
        words_at_pads |= bool((src[behind] > 0).any())
    assert zero_inside and words_at_pads


def test_a_script_answers_to_the_token_and_to_the_state():
    script = Script([[5, 6], [7]])
    bos = torch.full((2,), BOS_ID)
    first, state = script(bos, script.state)
    assert first.argmax(-1).tolist() == [5, 7]
    second, _ = script(first.argmax(-1), state)
    assert second.argmax(-1).tolist() == [6, EOS_ID]
    lost, _ = script(bos, state)
    assert lost.argmax(-1).tolist() == [8, 8]
    with pytest.raises(TypeError, match=r"int64 \[2\], one a row, but they are torch.float32"):
        script(first, state)


def test_an_endless_loop_is_stopped_by_the_decoder():
    def endless(step, state, num_rows, max_new_tokens):
        tokens, ended = torch.full((num_rows,), BOS_ID), torch.zeros(num_rows, dtype=torch.bool)
        while not ended.all():
            log_probs, _ = step(tokens, state)
            tokens = log_probs.argmax(-1)
            ended |= tokens == EOS_ID
        return tokens, tokens

    report, finding = found("3.6", endless)
    assert finding.state == "error" and "step was called" in report.text


# ---------------------------------------------------------------- answers as learners write them


def shifted_index(outputs, lengths):
    return outputs[torch.arange(len(outputs)), lengths]


def by_numpy(outputs, lengths):
    return outputs[torch.arange(len(outputs)), lengths - 1].numpy()


def flip_then_roll(src, lengths):
    """Flipped, then rolled so that the pads are back behind: EOS comes first."""
    rows = [r.flip(0).roll(int(n) - len(r)) for r, n in zip(src, lengths, strict=True)]
    return torch.stack(rows)


def free_run_feeds_pad_to_all(step, state, num_rows, max_new_tokens):
    tokens, said = torch.full((num_rows,), PAD_ID), []
    for _ in range(max_new_tokens):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
    ids = torch.stack(said, 1)
    return ids, (ids != PAD_ID).sum(1)


def one_length_too_few(k, shortest, longest):
    mean = (shortest + longest) / 2
    return (math.log(longest - shortest) + mean * math.log(k)) / (mean + 1)


def eos_costs_a_symbol(k, shortest, longest):
    tokens = (shortest + longest) / 2 + 1
    return (math.log(longest - shortest + 1) + tokens * math.log(k)) / tokens


def permuted(*axes):
    """The blanks of 3.4, filled with another order of axes."""

    def join(h_n, L):
        _, B, U = h_n.shape
        return h_n.view(L, 2, B, U).permute(*axes).reshape(B, L, 2 * U)

    return join


def index_into_the_row(bend):
    """3.5 without torch.where: the index of the pads is bent back into the row."""

    def turn(src, lengths):
        index = lengths[:, None] - 2 - torch.arange(src.size(1))
        return src.gather(1, bend(index, src.size(1)))

    return turn


def free_run_that(*, silent=True, keep_bos=False):
    """3.6 with lengths that are right whatever ids hold."""

    def run(step, state, num_rows, max_new_tokens):
        tokens, ended = torch.full((num_rows,), BOS_ID), torch.zeros(num_rows, dtype=torch.bool)
        said, lengths = [tokens] if keep_bos else [], torch.zeros(num_rows, dtype=torch.int64)
        for _ in range(max_new_tokens):
            log_probs, state = step(tokens, state)
            tokens = log_probs.argmax(-1)
            tokens = torch.where(ended, PAD_ID, tokens) if silent else tokens
            lengths += ~ended
            said.append(tokens)
            ended = ended | (tokens == EOS_ID)
            if ended.all():
                break
        return torch.stack(said, 1), lengths

    return run


def free_run_until_all_say_eos_at_once(step, state, num_rows, max_new_tokens):
    tokens, said = torch.full((num_rows,), BOS_ID), []
    for _ in range(max_new_tokens):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
        if (tokens == EOS_ID).all():
            break
    ids = torch.stack(said, 1)
    return ids, (ids != PAD_ID).sum(1)


def the_length_before_the_first_bad(right, share):
    for n in sorted(right):
        if right[n] < share:
            return n - 1
    return max(right)


def one_by_one_states(cell, embedded, lengths):
    h = c = torch.zeros(len(embedded), cell.hidden_size)
    for t in reversed(range(int(lengths.min()))):
        h, c = cell(embedded[:, t], (h, c))
    return h, c


def only_loss_moves(make_model):
    model, batch = make_model(), few_strings()
    torch.testing.assert_close(model(batch), model(patient.rolled(batch)))


@pytest.mark.parametrize(
    ("id", "answer", "state", "words"),
    [
        ("3.1", shifted_index, "error", "index"),
        ("3.1", by_numpy, "wrong", "tensor"),
        ("3.2", lambda k, a, b: torch.tensor(blind_floor_spec(k, a, b)), "wrong", "plain number"),
        ("3.2", lambda k, a, b: 0.936, "wrong", "pencil"),
        ("3.2", one_length_too_few, "wrong", "one too small"),
        ("3.2", eos_costs_a_symbol, "wrong", "EOS was charged like a symbol"),
        ("3.4", permuted(2, 1, 0, 3), "wrong", "forward halves of both layers"),
        ("3.4", permuted(0, 2, 1, 3), "wrong", "numbers of another sentence"),
        ("3.5", index_into_the_row(lambda i, S: i.clamp(min=0)), "wrong", "from EOS on"),
        ("3.5", index_into_the_row(lambda i, S: i % S), "wrong", "from EOS on"),
        ("3.6", free_run_that(silent=False), "wrong", "talking behind its EOS"),
        ("3.6", free_run_that(keep_bos=True), "wrong", "first column is BOS"),
        ("3.6", free_run_until_all_say_eos_at_once, "wrong", "at which all rows say EOS"),
        ("3.9", the_length_before_the_first_bad, "wrong", "shortest one fails"),
        ("3.4", lambda h, L: torch.cat([h[-2], h[-1]], 1)[:, None], "wrong", "shape"),
        ("3.5", flip_then_roll, "wrong", "EOS"),
        ("3.6", free_run_feeds_pad_to_all, "wrong", "not started with BOS"),
        ("3.7", one_by_one_states, "wrong", "the numbers are not"),
        ("3.8b", only_loss_moves, "wrong", "rejects a model that reads"),
        ("3.8b", lambda make_model: make_model(), "wrong", "returns"),
        ("3.9", lambda right, share: 8, "wrong", "pencil"),
    ],
)
def test_other_wrong_answers_are_told(id, answer, state, words):
    report, finding = found(id, answer)
    assert finding.state == state, report.text
    assert words in " ".join(report.text.split()), report.text


# ---------------------------------------------------------------- numbers of the texts


def test_the_options_of_3_3_are_what_their_reasons_say():
    options, reasons = word_options(), find("3.3").task.reasons
    assert list(options.values()) == sorted(options.values(), reverse=True)
    by_reason = {reasons[letter]: number for letter, number in options.items()}
    lengths = 0.5 * math.log(2) + 0.5 * math.log(4)
    right = (lengths + 3 * math.log(26)) / 4
    assert by_reason["correct"] == round(right, 3)
    assert by_reason["no_eos"] == round(right * 4 / 3, 3)
    assert by_reason["lengths_forgotten"] == round(3 * math.log(26) / 4, 3)
    assert by_reason["log_k"] == round(math.log(26), 3)
    assert by_reason["vocabulary"] == round(math.log(30), 3)
    told = find("3.3").words.correct
    assert f"{lengths:.3f}" in told and f"{lengths + 3 * math.log(26):.3f}" in told


# ---------------------------------------------------------------- the clinic


def test_the_log_is_what_the_patient_writes():
    def numbers(text):
        return [float(x) for x in re.findall(r"\d+\.\d{3}", "".join(text.splitlines(True)[3:]))]

    again, kept = patient.reproduce_log(), patient.training_log()
    assert again.splitlines()[:4] == kept.splitlines()[:4]
    # 300 steps of training add up rounding, on other processors in another order
    assert numbers(again) == pytest.approx(numbers(kept), abs=0.05)


def test_the_log_shows_the_symptom_to_the_last_digit():
    for line in patient.training_log().splitlines()[4:]:
        *_, own, other = line.split()
        assert own == other


def test_the_patient_has_the_bug_and_a_healed_one_has_not():
    torch.manual_seed(0)
    sick, healed = patient.PatientModel(), patient.PatientModel()
    healed.decoder.is_decoder = True
    batch = few_strings()
    assert torch.equal(sick(batch), sick(patient.rolled(batch)))
    assert not torch.equal(healed(batch), healed(patient.rolled(batch)))


def test_one_swap_of_sources_lets_some_suspects_go():
    """Why the test must change single tokens: what the chapter's table does is not enough."""

    def by_swapping(make_model):
        model, batch = make_model(), few_strings()
        change = (model(patient.rolled(batch)) - model(batch)).abs().amax((1, 2))
        assert (change > 1e-6).all()

    report, finding = found("3.8b", by_swapping)
    assert finding.state == "partly" and "3 of 8" in report.text, report.text
    assert len(SUSPECTS) == 8 and len(INNOCENT) == 5


def test_models_of_the_clinic_are_the_same_at_each_call():
    for make_model in (*INNOCENT, *SUSPECTS.values()):
        one, two = make_model(), make_model()
        assert isinstance(one, nn.Module)
        assert torch.equal(one(few_strings()), two(few_strings()))
