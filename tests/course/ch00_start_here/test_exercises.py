"""Chapter 0's exercises: what they are given, their probes, typical mistakes, the bug clinic."""

import re

import pytest
import torch

from seq2seq_lib import laws
from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.course import ch00_start_here as chapter00
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.ch00_start_here import ex6b_test_patient, patient, states
from tests.support.answers import found, probes_of, sparing

FUNCTIONS = ("0.1", "0.3", "0.4", "0.6c")


def test_points_are_those_of_the_notebook_and_the_chapter_s_own_has_none():
    assert {e.id: e.points for e in exercises("0")} == {
        "0.1": 0,
        "0.2": 1,
        "0.3": 2,
        "0.4": 3,
        "0.5": 1,
        "0.6a": 1,
        "0.6b": 2,
        "0.6c": 2,
    }


# ---------------------------------------------------------------- probes


@pytest.mark.parametrize("seed", range(5))
def test_probes_reach_the_edges(seed):
    def drawn(exercise_id):
        probes = probes_of(exercise_id, seed)
        return [probe.args for probe in probes]

    spec = find("0.1").task.spec
    said = [(spec(*args.values()), args["longest"]) for args in drawn("0.1")]
    assert (1, 1) in said and any(n == longest > 1 for n, longest in said)
    assert any(n is None for n, _ in said)
    sizes = [args["src"].shape for args in drawn("0.6c")]
    assert any(B == 1 for B, _ in sizes) and any(S == 1 for _, S in sizes)
    assert any(B == S > 1 for B, S in sizes)
    assert any(args["lengths"].max() < args["src"].size(1) for args in drawn("0.6c"))
    assert any(len(args["texts"]) == 1 for args in drawn("0.3"))
    assert any(find("0.3").task.spec(*args.values()) == [] for args in drawn("0.3"))
    shares = [find("0.4").task.spec(*args.values()) for args in drawn("0.4")]
    assert any(None in row for row in shares) and any(len(row) == 1 for row in shares)
    on_edges = [set(args["lengths"]) & set(args["edges"]) for args in drawn("0.4")]
    assert all(on_edges[:2])


# ---------------------------------------------------------------- typical mistakes


def counters_go_on(answers, gold, lengths, edges):
    shares, right, count = [], 0, 0
    for low, high in zip(edges, edges[1:], strict=False):
        for i, length in enumerate(lengths):
            if low <= length < high:
                count += 1
                right += answers[i] == gold[i]
        shares.append(right / count if count else None)
    return shares


MISTAKES = [
    ("0.1", "not_a_function", 8),
    ("0.1", "raised", lambda answer, text, longest=24: answer(text)),
    ("0.1", "value", lambda answer, text, longest=24: 7),
    ("0.2", "not_a_choice", "G"),
    ("0.3", "no_list", lambda read_batch, texts: 3),
    ("0.3", "argument_changed", lambda read_batch, texts: (
        find("0.3").reference(read_batch, list(texts)), texts.sort())[0]),
    ("0.3", "value", lambda read_batch, texts: ["something else"]),
    ("0.3", "never_equal", lambda read_batch, texts: [
        t for t, a in zip(texts, read_batch(texts), strict=True) if a != read_batch([t])]),
    ("0.3", "never_equal", lambda read_batch, texts: [
        t for t, a in zip(texts, read_batch(texts), strict=True) if a != read_batch(t)[0]]),
    ("0.4", "never_reset", counters_go_on),
    ("0.4", "one_number", lambda *args: 0.4),
    ("0.4", "other_count", lambda *args: [0.5] * 99),
    ("0.4", "raised", lambda answers, gold, lengths, edges: [1 / 0]),
    ("0.6a", "not_a_choice", "the pads"),
    ("0.6c", "not_float", lambda *args: find("0.6c").reference(*args).round().long()),
    ("0.6c", "shape", lambda *args: find("0.6c").reference(*args).T),
    ("0.6c", "value", lambda *args: -find("0.6c").reference(*args)),
    ("0.6c", "raised", lambda src, lengths: states.GRU(src)),
    ("0.6c", "zero_vectors", lambda src, lengths: states.GRU(
        states.EMBEDDING(src) * (src != 0)[..., None])[0][:, -1]),
    ("0.6c", "longest", lambda src, lengths: states.GRU(
        states.EMBEDDING(src))[0][:, lengths.max() - 1]),
]  # fmt: skip


@pytest.mark.parametrize(("exercise_id", "finding", "answer"), MISTAKES)
def test_typical_mistakes_are_named(exercise_id, finding, answer):
    report, result = found(exercise_id, answer)
    assert (result.name, result.state) == (finding, "error" if finding == "raised" else "wrong")
    assert not re.search(r"{\w+}", report.text)  # every fact was filled in


def equal_lengths(encode):
    src, lengths = pad_sequences([[4, 5, 2], [6, 7, 2]])
    together = encode(src, lengths)
    for row in range(2):
        assert (together[row] - encode(src[row : row + 1], lengths[:1])[0]).abs().max() < 1e-4


def the_longest_alone(encode):
    src, lengths = pad_sequences([[4, 5, 6, 2], [6, 2]])
    assert (encode(src, lengths)[0] - encode(src[:1], lengths[:1])[0]).abs().max() < 1e-4


def exactly_equal(encode):
    src, lengths = pad_sequences([[4, 5, 6, 2], [6, 2]])
    assert torch.equal(encode(src, lengths)[1], encode(torch.tensor([[6, 2]]), lengths[1:])[0])


def expects_zeros(encode):
    src, lengths = pad_sequences([[4, 5, 6, 2], [6, 2]])
    assert (encode(src, lengths)[1] == 0).all()


def keeps_its_pads(encode):
    src, lengths = pad_sequences([[4, 5, 2], [6, 7, 8, 9, 2], [3, 2]])
    for row, state in enumerate(encode(src, lengths)):
        assert (state - encode(src[row : row + 1], lengths[row : row + 1])[0]).abs().max() < 1e-4


def test_a_row_that_keeps_its_pads_is_told_that_it_is_not_alone():
    report, result = found("0.6b", keeps_its_pads)
    assert (result.name, result.earned) == ("behind_pads", 0)
    assert "a row that keeps its pads is not alone" in " ".join(report.text.split())


WRONG_TESTS = [
    ("innocent_rejected", 0, expects_zeros),
    ("behind_pads", 0, the_longest_alone),
    ("nothing_rejected", 0, equal_lengths),
    ("nothing_rejected", 0, lambda encode: print(encode)),
    ("test_returns", 0, lambda encode: True),
    *[
        (name, 0 if name == "behind_pads" else 1, sparing("0.6b", name))
        for name in ex6b_test_patient.SUSPECTS
    ],
]


@pytest.mark.parametrize(("finding", "earned", "answer"), WRONG_TESTS)
def test_a_weak_test_is_told_which_wrong_one_it_lets_pass(finding, earned, answer):
    report, result = found("0.6b", answer)
    assert (result.name, result.earned) == (finding, earned), report.text


def test_a_test_that_asks_for_equal_digits_is_told_so():
    assert found("0.6b", exactly_equal)[1].name == "last_digits"


@pytest.mark.parametrize("exercise_id", [*FUNCTIONS, "0.6b"])
def test_every_message_is_given_by_some_wrong_answer(exercise_id):
    given = {mutant.finding for mutant in find(exercise_id).mutants}
    given |= {finding for other, finding, _ in MISTAKES if other == exercise_id}
    if exercise_id == "0.6b":
        given = {finding for finding, *_ in WRONG_TESTS}
    own = set(find(exercise_id).words.findings)
    assert own <= given, own - given


# ---------------------------------------------------------------- the clinic


def test_the_log_is_what_the_bug_really_produces():
    """Its numbers may depend on the processor in the last digit."""
    rows = re.findall(r"^ +(\d) +(\d) +([\d.]+) +([\d.]+) +([\d.]+)$", patient.LOG, re.MULTILINE)
    now = re.findall(r"^ +(\d) +(\d) +([\d.]+) +([\d.]+) +([\d.]+)$", patient.reproduce_log(), re.M)
    assert len(rows) == len(now) == len(patient.SENTENCES)
    for row, again in zip(rows, now, strict=True):
        assert row[:2] == again[:2]
        for kept, made in zip(row[2:], again[2:], strict=True):
            assert abs(float(kept) - float(made)) < 0.002
    for _, pads, outputs, state, with_zero in rows:
        moved = float(state) > 0.05 and float(with_zero) > 0.05
        assert outputs == "0.000" and moved == (int(pads) > 0)


def test_law_1_judges_the_patient_and_the_healed_one():
    embedding, gru = chapter00.small_encoder()

    def healed(src, lengths):
        outputs, _ = gru(embedding(src))
        real = torch.arange(src.size(1))[None, :] < lengths[:, None]
        state = outputs[torch.arange(len(src)), lengths - 1]
        return outputs * real[..., None], state[:, None]  # [B, S, H], [B, L, H]

    def sick(src, lengths):
        outputs, state = chapter00.PatientEncoder()(src, lengths)
        return outputs, state[:, None]

    assert laws.batch_invariance(healed, src_vocab_size=12)
    assert not laws.batch_invariance(sick, src_vocab_size=12)
    assert chapter00.clinic_log() == patient.LOG
