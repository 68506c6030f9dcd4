"""Every benchmark runs on tiny sizes and compares what is equal. No time is asserted."""

import json
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import (
    ablation,
    batching,
    cells,
    decoder,
    latency,
    loss,
    memory_peers,
    products,
    proportion,
    report,
    search,
    search_peers,
    suite,
    timing,
    training_step,
    translation,
)
from benchmarks.report import Row
from seq2seq_lib.batching import collate
from seq2seq_lib.corpora import Corpus, CorpusError, Pair, phrases
from seq2seq_lib.course import exercises
from seq2seq_lib.runtime import get_device
from seq2seq_lib.training import Processes
from seq2seq_lib.translate import Recipe

README = Path(__file__).resolve().parents[2] / "README.md"
DEVICE = get_device()


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """As the command sets it: a GPU's RNNs would round to three digits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def named(rows, part):
    return [row for row in rows if part in row.what]


def quick(module):
    rows = module.rows(DEVICE, True)
    names = [row.what for row in rows]
    assert len(set(names)) == len(names), "two rows with one name"
    assert all(row.measured for row in rows)
    return rows


# --- every benchmark ---------------------------------------------------------------------------


def test_loss_has_its_rows():
    rows = quick(loss)
    assert len(named(rows, "sequence_loss / F.cross_entropy")) == 4
    assert [row.measured for row in named(rows, "law 3")] == ["holds"]
    assert len(named(rows, ": time")) == len(named(rows, ": peak memory")) == 3
    assert len(rows) == 11


def test_decoder_has_its_rows():
    rows = quick(decoder)
    assert len(named(rows, "20 tokens")) == len(named(rows, "40 tokens")) == 6 == len(rows) / 2
    assert len(named(rows, "one pass, forward and backward")) == 6


def test_the_products_of_a_function_are_counted():
    x, w = torch.ones(5, 3), torch.ones(3, 7, requires_grad=True)
    assert products.flops(lambda: x @ w) == 2 * 5 * 3 * 7
    assert products.flops(lambda: torch.autograd.grad((x @ w).sum(), w)) == 2 * (2 * 5 * 3 * 7)
    rnn, inputs = torch.nn.GRU(3, 4, batch_first=True), torch.ones(2, 6, 3)
    multiplied = 2 * 6 * (3 * 12 + 4 * 12)  # rows, steps, both matrices
    assert products.flops(lambda: rnn(inputs)) == 2 * multiplied


@pytest.fixture
def small_search(monkeypatch):
    """Ours as ``search_peers`` has it, but small: sources have ids below 700."""
    monkeypatch.setattr(search_peers, "VOCABULARY", 700)
    small = partial(search_peers.ours, vocabulary=700, features=8)
    monkeypatch.setattr(search_peers, "ours", small)
    return small


def test_a_replay_is_the_products_and_log_softmaxes_of_a_search(small_search, monkeypatch):
    cpu, clock = torch.device("cpu"), search_peers.Clock()
    clock.ends = torch.tensor([3, 5, 2])
    search = partial(small_search(clock, cpu), *search_peers.sources(cpu, 3), 2)

    def seen(function):
        with products._Recorder() as recorder:
            function()
        return [
            (operator.name(), [getattr(x, "shape", x) for x in arguments])
            for operator, arguments, _ in recorder.calls
        ]

    calls = seen(products.replay(search))
    assert calls == seen(search)
    softmaxes = [shapes[0] for name, shapes in calls if name == "aten::_log_softmax"]
    open_outputs = (3, 6, 4, 2, 2)  # sentences leave where they end
    assert softmaxes == [(N, 700) for N in open_outputs]

    monkeypatch.setattr(products, "REPLAYED", products.REPLAYED - {"aten::bmm"})
    with pytest.raises(ValueError, match="add its operators to"):
        products.replay(search)


def test_each_peer_stands_beside_the_limit_of_our_search(small_search, monkeypatch):
    monkeypatch.setattr(search_peers, "PEERS", {"our twin": small_search})
    monkeypatch.setattr(search_peers, "SETTINGS", search_peers.SETTINGS[:1])
    *rows, memory = quick(search_peers)
    ratios, limits = rows[::2], rows[1::2]
    assert [row.target for row in ratios] == ["≥ 2.00"] * 2 and "peak memory" in memory.what
    for ratio, limit in zip(ratios, limits, strict=True):
        than = ratio.what.removesuffix(" / ours")
        assert limit.what == f"limit, {than} / products and log-softmax of ours alone"
        assert limit.met is None and float(limit.measured) > 0


def test_a_peer_that_is_missing_is_named_in_one_row(monkeypatch):
    def absent(clock, device):
        raise ImportError("No module named 'somebody'")

    monkeypatch.setattr(search_peers, "PEERS", {"somebody": absent})
    (row,) = quick(search_peers)
    assert "No module named 'somebody'" in row.measured and row.met is None


def test_a_clock_ends_each_sentence_at_its_step():
    clock = search_peers.Clock()
    clock.ends = torch.tensor([3, 1])
    memory = clock.mark(torch.rand(2, 3, 4))
    seen = []
    for rows in (None, torch.tensor([1, 0, 0])):
        clock.read(memory, rows)
        logits = clock.score(torch.zeros(2 if rows is None else 3, 5), eos_id=2)
        seen.append((logits[:, 2] > 0).tolist())
    assert seen == [[False, True], [True, False, False]]


def test_memory_is_that_of_a_process_for_each_library_and_task(monkeypatch):
    held = {
        "training": {"ours": 4, "JoeyNMT": 5, "Marian of Hugging Face": 6},
        "search": {"ours": 3, "JoeyNMT": 6, "Marian of Hugging Face": 3},
    }
    monkeypatch.setattr(memory_peers, "CLEAR", Path(__file__))  # also where there is no /proc
    monkeypatch.setattr(
        memory_peers, "_apart", lambda task, name, _: {"bytes": held[task][name] * 2**20}
    )
    cpu = torch.device("cpu")
    rows = memory_peers.rows(cpu, False)
    assert [row.measured for row in rows] == ["4 MiB", "1.25", "1.50", "3 MiB", "2.00", "1.00"]
    assert all("64 sentences" in row.what for row in rows)

    def without_joeynmt(task, name, sentences):
        return {"missing": "No module named 'joeynmt'"} if name == "JoeyNMT" else {"bytes": 9}

    monkeypatch.setattr(memory_peers, "_apart", without_joeynmt)
    rows = memory_peers.rows(cpu, False)
    assert len(rows) == 2
    assert all(row.skipped and "No module named 'joeynmt'" in row.measured for row in rows)
    monkeypatch.setattr(memory_peers, "CLEAR", Path("not there"))
    assert {row.measured for row in quick(memory_peers)} == {memory_peers.NEEDED}


@pytest.mark.skipif(not memory_peers.CLEAR.exists(), reason="Linux alone tells a peak")
def test_memory_rises_by_what_a_call_holds_at_once_whatever_was_held_before():
    def fill(megabytes):
        return lambda: bytes(b"x" * (megabytes * 2**20))

    fill(300)()  # a peak that is over
    rises = [memory_peers.rise(fill(megabytes)) / 2**20 for megabytes in (60, 120)]
    assert 55 < rises[0] < 75 and 115 < rises[1] < 135


@pytest.mark.skipif(not memory_peers.CLEAR.exists(), reason="Linux alone tells a peak")
def test_a_process_of_its_own_measures_a_library_or_says_why_not():
    assert memory_peers._apart("training", "ours", 3)["bytes"] > 2**20
    with pytest.raises(RuntimeError, match="(?s)training of nobody, exit 2: .*invalid choice"):
        memory_peers._apart("training", "nobody", 3)


def test_a_training_that_counts_pads_is_not_measured(monkeypatch):
    def wrong(batch, **sizes):
        step = memory_peers.our_step(batch, **sizes)
        return lambda: step() * batch.tgt_out.numel() / batch.tgt_mask.sum().item()

    monkeypatch.setitem(memory_peers.STEPS_OF, "wrong", wrong)
    memory_peers.train("ours", 6, **memory_peers.TINY)()
    with pytest.raises(ValueError, match="wrong: losses of .* fed something else"):
        memory_peers.train("wrong", 6, **memory_peers.TINY)()


def test_search_has_its_rows():
    rows = quick(search)
    assert [len(named(rows, f"search, {k} beams")) for k in (1, 5, 10)] == [1, 1, 1]
    (row,) = named(rows, "rows read")  # a count and no time: so it is known to be met
    assert row.met
    assert len(rows) == 7


def test_cells_have_their_rows():
    rows = quick(cells)
    assert len(named(rows, "/ nn.GRU")) == len(named(rows, "/ nn.LSTM")) == 1
    assert len(rows) == 4


@pytest.mark.slow
def test_proportion_has_its_rows():
    rows = quick(proportion)
    assert len(named(rows, ": time")) == 5 and len(named(rows, "peak memory")) == 5
    first, memory = named(rows, "standard input")
    assert first.met and memory.met  # a count, and megabytes: no times
    assert len(rows) == 11


def test_latency_has_its_rows():
    rows = quick(latency)
    names = {"mask_loss", "pad_drift", "translation_box"}
    assert names <= {row.what.split()[1].rstrip(":") for row in named(rows, "explorer ")}
    assert (
        len(named(rows, "import seq2seq_lib, ")) == len(named(rows, "slowest public module")) == 1
    )
    assert named(rows, "chapter 0, ") and named(rows, "all chapters")
    (row,) = named(rows, "the slowest check of")
    assert row.measured.partition(" s ")[2].strip("()") in {e.id for e in exercises()}


def test_the_test_command_is_timed_when_it_passes(monkeypatch):
    ran = subprocess.CompletedProcess([], 0, "lines\n=== 12 passed, 1 skipped in 3.45s ===\n", "")
    asked = []

    def run(command, **options):
        asked.append((command, options["env"]))
        return ran

    monkeypatch.setattr(suite.subprocess, "run", run)
    monkeypatch.setattr(suite.shutil, "which", lambda name: name)
    monkeypatch.setenv("MAKEFLAGS", " -- ARGS=--write")  # as `make bench ARGS=--write` sets it
    monkeypatch.setenv("SEQ2SEQ_DEVICE", "cuda")
    (row,) = suite.rows(DEVICE, False)
    assert row.measured == "0.0 min (12 passed, 1 skipped)" and row.met
    ((called, env),) = asked
    assert called == ["make", "test"] and "PATH" in env
    assert "MAKEFLAGS" not in env and env["SEQ2SEQ_DEVICE"] == "cpu"

    ran.returncode, ran.stdout = 2, "=== 1 failed, 11 passed in 3.45s ==="
    (row,) = suite.rows(DEVICE, False)
    assert row.measured == "did not pass: 1 failed, 11 passed" and row.met is False
    assert quick(suite)[0].met is None
    monkeypatch.setattr(suite.shutil, "which", lambda name: None)
    assert suite.rows(DEVICE, False)[0].measured == "skipped: no make"
    assert len(asked) == 2


def test_without_data_the_rows_are_the_same_and_say_so(monkeypatch):
    def missing():
        raise CorpusError("no file")

    monkeypatch.setattr(batching, "multi30k", missing)
    rows = quick(batching)
    assert {row.measured for row in rows} == {"skipped: no data"}
    assert len(rows) == 5

    words = [Pair(("a",) * n, ("b",) * (1 + n % 7)) for n in range(1, 200)]
    corpus = Corpus("tiny", tuple(words), (), ())
    monkeypatch.setattr(batching, "multi30k", lambda: corpus)
    monkeypatch.setattr(batching, "Recipe", type("Recipe", (Recipe,), {"batch_size": 20}))
    measured = quick(batching)
    assert [row.what for row in measured] == [row.what for row in rows]
    shuffled, bucketed = (float(row.measured.rstrip("%")) for row in measured[:2])
    assert shuffled > 20 > bucketed


def test_a_training_step_has_its_rows_with_data_and_without(monkeypatch):
    def missing():
        raise CorpusError("no file")

    monkeypatch.setattr(training_step, "multi30k", missing)
    without = quick(training_step)
    assert {row.measured for row in without} == {"skipped: no data"} and len(without) == 9
    monkeypatch.setattr(training_step, "multi30k", lambda: phrases(400, 1, 1))
    measured = quick(training_step)
    assert [row.what for row in measured] == [row.what for row in without]
    assert all(float(row.measured.split()[0]) > 0 for row in named(measured, "time"))
    assert all(row.measured.endswith(" MiB") for row in named(measured, "peak memory"))


def test_the_peer_learns_from_the_past_alone():
    """Or it would be no model of translation, and its time would mean nothing."""
    torch.manual_seed(0)
    peer = training_step.Peer(9, 11, 8, 0.0).eval()
    batch = collate([([5, 6, 7], [4, 5, 6]), ([5], [7, 8])])
    logits = peer(batch)
    assert logits.shape == (2, 4, 11)
    other = replace(batch, tgt_in=batch.tgt_in.index_fill(1, torch.tensor([2]), 9))
    torch.testing.assert_close(peer(other)[:, :2], logits[:, :2])
    assert not torch.allclose(peer(other)[:, 2:], logits[:, 2:])
    alone = peer(collate([([5], [7, 8])]))  # in the batch it has pads behind it
    torch.testing.assert_close(logits[1:, :3], alone, atol=1e-5, rtol=1e-5)


# --- what differs is never timed ---------------------------------------------------------------


def test_a_wrong_loss_is_not_timed(monkeypatch):
    right = loss.sequence_loss
    monkeypatch.setattr(loss, "sequence_loss", lambda z, y, m: right(z, y, torch.ones_like(m)))
    with pytest.raises(ValueError, match="the gradients of both losses: the results differ"):
        loss.rows(DEVICE, True)


def test_a_wrong_step_is_not_timed(monkeypatch):
    right = decoder.Seq2Seq

    def broken(config):
        model = right(config)
        step = model.decoder.step
        model.decoder.step = lambda tokens, state: (step(tokens, state)[0], state)
        return model

    monkeypatch.setattr(decoder, "Seq2Seq", broken)
    with pytest.raises(ValueError, match="the logits of both: the results differ"):
        decoder.rows(DEVICE, True)


def test_a_wrong_search_is_not_timed(monkeypatch):
    right = search.beam_search

    def broken(model, src, lengths, **options):  # the last sentence of a batch is cut short
        found = right(model, src, lengths, **options)
        return found if len(src) == 1 else [*found[:-1], found[0]]

    monkeypatch.setattr(search, "beam_search", broken)
    with pytest.raises(ValueError, match="one sentence at a time: the results differ"):
        search.rows(DEVICE, True)


def test_a_wrong_gradient_is_not_timed(monkeypatch):
    right = decoder.Seq2Seq

    def broken(config):
        model = right(config)
        step = model.decoder.step
        model.decoder.step = lambda tokens, state: step(
            tokens, replace(state, hidden=state.hidden.detach())
        )
        return model

    monkeypatch.setattr(decoder, "Seq2Seq", broken)
    with pytest.raises(ValueError, match="the gradients of both: the results differ"):
        decoder.rows(DEVICE, True)


def test_shares_of_pads_are_what_they_are_called():
    for share in loss.SHARES:
        targets, mask = loss._padded(64, 20, 9, share, DEVICE)
        assert targets.shape == mask.shape == (64, 20)
        assert abs((~mask).float().mean().item() - share) < 0.01
        assert mask[:, 0].all() and mask[-1].all(), "the longest row is full"


def test_a_wrong_cell_is_not_timed(monkeypatch):
    right = cells.unroll

    def broken(cell, x):
        unrolled = right(cell, x)
        return unrolled._replace(outputs=unrolled.outputs + 1e-3)

    monkeypatch.setattr(cells, "unroll", broken)
    with pytest.raises(ValueError, match="the outputs of both: the results differ"):
        cells.rows(DEVICE, True)


# --- timing ------------------------------------------------------------------------------------


def test_memory_is_kept_where_the_c_library_can(monkeypatch):
    asked = []
    library = type("Library", (), {"mallopt": staticmethod(lambda *what: asked.append(what))})
    monkeypatch.setattr(timing.ctypes, "CDLL", lambda name: library)
    timing.keep_memory()
    assert asked == [(-1, 2**31 - 1), (-4, 0)]

    def missing(name):
        raise OSError(name)

    for other in (missing, lambda name: object()):  # no such library; one without mallopt
        monkeypatch.setattr(timing.ctypes, "CDLL", other)
        timing.keep_memory()


def test_candidates_take_turns_after_a_warm_up():
    calls = []
    candidates = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = timing.side_by_side(candidates, DEVICE, turns=3, at_least=0.0)
    assert "".join(calls) == "aabb" + "ab" * 3  # at_least 0: one call a measurement
    assert {name: len(seconds) for name, seconds in times.seconds.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_the_median_over_the_turns():
    # the machine was three times slower in the second turn: no matter
    times = timing.Times({"a": [2.0, 6.0, 2.2], "b": [1.0, 3.0, 1.0]})
    assert times.ratio("a", "b") == pytest.approx(2.0)
    assert times.median("a") == 2.2


def test_peak_memory_counts_what_is_held_at_once():
    x = torch.zeros(1000, 250, device=DEVICE)  # a million bytes

    def one_after_the_other():
        return (x + 1).sum() + (x + 2).sum()

    def both_at_once():
        first, second = x + 1, x + 2
        return first.sum() + second.sum()

    one, two = (timing.peak_bytes(f, DEVICE) for f in (one_after_the_other, both_at_once))
    assert 1_000_000 <= one < 1_100_000 and 2_000_000 <= two < 2_100_000


# --- the table ---------------------------------------------------------------------------------


def test_a_row_knows_whether_its_target_is_met():
    assert [Row.at_most("x", v, 1.05).met for v in (1.04, 1.05, 1.06)] == [True, True, False]
    assert [Row.at_least("x", v, 8).met for v in (7.9, 8, 8.1)] == [False, True, True]
    assert Row.at_most("x", 1.054, 1.05).measured == "1.0540", "1.05 is not ≤ 1.05?"
    assert Row.at_most("x", 0.0304, 0.03, "{:.1%}").measured == "3.040%"
    assert [Row.at_least("x", v, 8).measured for v in (7.96, 8, 8.2)] == ["7.960", "8.0", "8.2"]
    rows = [Row.at_most("a", 2, 1), Row.at_least("b", 9, 8), Row("c", "no data")]
    assert report.table(rows).splitlines()[2:] == [
        "| a | 2.00 | ≤ 1.00 | **no** |",
        "| b | 9.0 | ≥ 8.0 | yes |",
        "| c | no data | – | – |",
    ]


def test_the_command_prints_one_table(monkeypatch, capsys):
    monkeypatch.setattr(
        command, "BENCHMARKS", {n: command.BENCHMARKS[n] for n in ("cells", "loss")}
    )
    assert command.main(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| what | measured | target | met |"
    assert sum(line.startswith("| ") for line in lines) == 1 + 4 + 11
    assert "torch" in lines[-1]


def test_a_benchmark_that_fails_does_not_cost_the_others(monkeypatch, capsys):
    def fails(device, quick):
        raise ValueError("the results differ")

    monkeypatch.setattr(command, "BENCHMARKS", {"loss": fails, "cells": command.cells.rows})
    assert command.main(["--quick"]) == 1
    said = capsys.readouterr()
    assert "error: loss: ValueError: the results differ" in said.err
    assert "models of grus" in said.out


def test_every_module_is_in_the_command():
    modules = (
        loss, decoder, search, search_peers, memory_peers, batching, cells, training_step, latency,
        proportion, suite,
    )  # fmt: skip
    timed = {module.rows for module in modules}
    assert set(command.BENCHMARKS.values()) == timed


def test_tiny_sizes_are_never_written(monkeypatch):
    monkeypatch.setattr(report, "write_section", lambda *_: pytest.fail("written"))
    assert command.main(["--write", "--quick"]) == 2


def test_each_subject_writes_its_own_table_and_what_was_skipped_stays(monkeypatch):
    def fails(device, quick):
        raise ValueError("the results differ")

    subjects = {
        "loss": lambda device, quick: [Row("a", "1"), Row("b", "skipped: no data")],
        "cells": lambda device, quick: [Row("c", "skipped: no data")],
        "suite": fails,
        "search": lambda device, quick: [Row("d", "2")],
    }
    monkeypatch.setattr(command, "BENCHMARKS", subjects)
    written = {}
    monkeypatch.setattr(report, "write_section", lambda name, text: written.update({name: text}))
    assert command.main(["--write"]) == 1
    assert list(written) == ["loss", "search"]
    assert "| b | skipped: no data |" in written["loss"] and "torch" in written["loss"]
    assert "| d | 2 |" in written["search"] and "| a |" not in written["search"]
    written.clear()
    assert command.main(["--write", "--only", "search"]) == 0 and list(written) == ["search"]


def test_a_section_replaces_nothing_but_itself(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter\n", encoding="utf-8")
    report.write_section("a", "new\n", page)
    assert page.read_text("utf-8") == "before\n<!-- a:begin -->\nnew\n<!-- a:end -->\nafter\n"
    assert list(tmp_path.iterdir()) == [page]
    with pytest.raises(ValueError, match="once each"):
        report.write_section("b", "new", page)


def test_the_page_has_its_sections_and_each_heading_once():
    page = report.README.read_text("utf-8")
    for name in (*command.BENCHMARKS, "operators", "translation", "ablation"):
        assert page.count(f"<!-- {name}:begin -->") == 1
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert sorted(set(headings)) == sorted(headings)


# --- translation -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run over two epochs on a few lines, with what it said."""
    lines = [(f"wir sehen {a} {b}", f"we see {a} {b}") for a in "abcd" for b in "efgh"]
    pairs = [Pair((source,), (target,)) for source, target in lines]

    def load(tokenizer=str.split):
        words = [Pair(*(tuple(tokenizer(side)) for (side,) in (p.source, p.target))) for p in pairs]
        return Corpus("tiny-xx-yy", tuple(words), tuple(words[:3]), tuple(words[3:6]))

    said, folder = [], tmp_path_factory.mktemp("translation")
    recipe = Recipe(num_pieces=25, embed_size=4, hidden_size=4, epochs=2, batch_size=8)
    result = translation.measure(
        load,
        recipe,
        path=folder / "tiny.json",
        checkpoint=folder / "model.pt",
        device=DEVICE,
        say=said.append,
    )
    return folder, result, said


def test_translation_keeps_a_curve_and_the_test_set(run):
    folder, result, said = run
    assert json.loads((folder / "tiny.json").read_text("utf-8")) == result
    assert sorted(path.name for path in folder.iterdir()) == ["model.pt", "tiny.json"]
    assert [point["epoch"] for point in result["curve"]] == [1, 2]
    minutes = [point["minutes"] for point in result["curve"]]
    assert minutes == sorted(minutes)
    assert set(result["test"]) == {"greedy", "beam 5, penalty 1"}
    assert all("|case:lc|" in score["signature"] for score in result["test"].values())
    assert len(said) == 4


def test_translation_tables_are_made_of_finished_runs(run, tmp_path):
    folder, result, _ = run
    page = tmp_path / "page.md"
    page.write_text("<!-- translation:begin -->\n<!-- translation:end -->\n", encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps(result), encoding="utf-8")
    unfinished = {**result, "corpus": "half", "test": {}}
    (tmp_path / "b.partial.json").write_text(json.dumps(unfinished), encoding="utf-8")
    (tmp_path / "c.json").write_text('{"runs": [], "seeds": 3}', encoding="utf-8")  # another's
    translation.write_tables(tmp_path, page)
    text = page.read_text("utf-8")
    assert "### tiny-xx-yy, 2 epochs" in text and "half" not in text
    assert "num_pieces 25 for 3000" in text and "| 2 | " in text
    assert f"| greedy | {result['test']['greedy']['bleu']:.2f} |" in text
    with pytest.raises(ValueError, match="There are no results"):
        translation.write_tables(tmp_path / "wrong", page)
    assert page.read_text("utf-8") == text


def test_an_interrupted_run_leaves_the_finished_one_alone(tmp_path):
    path, words = tmp_path / "tiny.json", tuple(Pair((a,), (b,)) for a in "abcd" for b in "efgh")
    path.write_text("the finished one", encoding="utf-8")

    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        translation.measure(
            lambda tokenizer=None: Corpus("tiny", words, words[:3], words[3:6]),
            Recipe(num_pieces=13, embed_size=4, hidden_size=4, epochs=2),
            path=path,
            checkpoint=tmp_path / "model.pt",
            device=DEVICE,
            say=interrupt,
        )
    assert path.read_text("utf-8") == "the finished one"
    partial = json.loads((tmp_path / "tiny.partial.json").read_text("utf-8"))
    assert len(partial["curve"]) == 1 and partial["test"] == {}


def test_a_trial_does_not_replace_a_result(capsys):
    assert translation.main(["--limit", "100"]) == 2
    assert "needs a folder of its own" in capsys.readouterr().err


def test_a_sentence_with_several_translations_is_scored_once():
    pairs = tuple(Pair((s,), (t,)) for s, t in (("hi", "salut"), ("go", "va"), ("hi", "bonjour")))
    sources, references = translation.published_lines(Corpus("t", (), (), pairs), "test")
    assert (sources, references) == (["hi", "go"], [["salut", "bonjour"], ["va"]])
    sources, references = translation.published_lines(Corpus("multi30k-x-y", (), (), pairs), "test")
    assert (sources, references) == (["hi", "go", "hi"], ["salut", "va", "bonjour"])


def test_a_table_says_how_many_processes_there_were(run):
    _, result, _ = run
    assert "### tiny-xx-yy, 2 epochs\n" in translation.table(result)
    assert " each;" not in translation.table(result)
    other = {**result, "recipe": {**result["recipe"], "seed": 7}}
    assert "### tiny-xx-yy, 2 epochs, seed 7\n" in translation.table(other)
    assert "seed 7 for" not in translation.table(other), "another seed is no other recipe"
    together = translation.table({**result, "processes": 2})
    assert "### tiny-xx-yy, 2 processes, 2 epochs\n" in together and " each;" in together


def test_what_the_pages_say_of_the_default_recipe_is_what_was_kept():
    best = []
    for name in ("multi30k-de-en-x2", "multi30k-de-en-seed-2", "multi30k-de-en-seed-3"):
        kept = json.loads((translation.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        assert kept["recipe"]["epochs"] == Recipe.epochs
        best.append(kept["test"]["beam 5, penalty 1"]["bleu"])
    one, two, three = best
    page, readme = (
        " ".join(path.read_text(encoding="utf-8").split()) for path in (report.README, README)
    )
    assert f"has {one:.2f} BLEU with seed 1, {two:.2f} with 2 and {three:.2f} with 3" in page
    assert f"reached {one:.1f} BLEU" in readme
    assert f"{two:.1f} and {three:.1f} with two other seeds" in readme


def test_an_old_result_is_not_taken_for_the_default_recipe(run):
    _, result, _ = run
    old = {"num_pieces": 6000, "dropout": 0.3}  # as they were written before there were more parts
    text = translation.table({**result, "recipe": old | {"seed": 1}})
    assert "; piece_dropout 0.0 for 0.1, attention dot for general, cell gru for lstm, " in text
    assert "num_pieces 6000 for 3000" in text and "the default recipe" not in text


def test_of_several_processes_the_others_only_train(monkeypatch, tmp_path):
    monkeypatch.setattr(Processes, "speaks", property(lambda self: False))
    monkeypatch.setattr(translation, "bleu", lambda *_, **__: pytest.fail("measured"))
    words = tuple(Pair((a,), (b,)) for a in "abcd" for b in "efgh")
    result = translation.measure(
        lambda tokenizer=None: Corpus("tiny", words, words[:3], words[3:6]),
        Recipe(num_pieces=13, embed_size=4, hidden_size=4, epochs=1),
        path=tmp_path / "tiny.json",
        checkpoint=tmp_path / "model.pt",
        device=DEVICE,
        say=lambda _: pytest.fail("spoke"),
    )
    assert result["test"] == {} and list(tmp_path.iterdir()) == []


# --- ablation ----------------------------------------------------------------------------------


def test_an_ablation_changes_one_part_of_the_recipe():
    for name, (what, changes) in ablation.CHANGES.items():
        assert what and ablation.recipes()[name] == (what, replace(ablation.FIRST, **changes))
        assert all(getattr(ablation.FIRST, part) != value for part, value in changes.items())
        assert len(changes) == (name != "recipe")


def test_the_steps_lead_from_the_first_recipe_to_today_s():
    *_, (_, last) = ablation.recipes().values()
    today = Recipe(epochs=ablation.EPOCHS, dropout=ablation.FIRST.dropout)  # a matter of long runs
    assert last == today
    with_each = [
        recipe for name, (_, recipe) in ablation.recipes().items() if name in ablation.STEPS
    ]
    assert with_each[0] != with_each[1] != with_each[2] and with_each[1].piece_dropout == 0


@pytest.fixture
def ablated(monkeypatch, tmp_path):
    """Runs of three recipes, not trained, and what was asked for."""
    bleu, asked = {"recipe": 30.0, "tied": 28.5, "pieces": 31.0}, {}

    def measure(load, recipe, *, path, **options):
        asked[path.stem] = recipe, options["searches"]
        last = {"cpu_minutes": 6.04, "valid_loss": 2.1234, "valid_bleu": bleu[path.stem]}
        result = {part: part for part in ablation.SAME} | {"curve": [{}, last]}
        path.write_text(json.dumps(result), encoding="utf-8")

    monkeypatch.setattr(ablation.translation, "measure", measure)
    assert ablation.main(["--only", *bleu, "--results", str(tmp_path / "new")]) == 0
    return tmp_path / "new", asked


def test_an_ablation_is_a_row_beside_the_whole_recipe(ablated):
    folder, asked = ablated
    first = ablation.FIRST
    assert asked["tied"] == (replace(first, tie_embeddings=False), {}), "the test set is not read"
    assert asked["recipe"][0] == first and first.epochs == 3
    (folder / "dropout.partial.json").write_text("{}", encoding="utf-8")  # unfinished
    assert ablation.table(folder).splitlines()[4:] == [
        "| nothing: the first recipe | 6.0 | 2.123 | 30.0 | – |",
        "| an output matrix apart from the target embedding | 6.0 | 2.123 | 28.5 | -1.5 |",
        "| 3,000 subwords instead of 6,000 | 6.0 | – | 31.0 | +1.0 |",  # other pieces, another loss
    ]


def test_runs_that_cannot_be_compared_make_no_table(ablated):
    folder, _ = ablated
    other = json.loads((folder / "tied.json").read_text("utf-8"))
    other |= {"machine": "another", "curve": other["curve"] * 2}
    (folder / "tied.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(ValueError, match=r"tied.json and recipe.json differ in: machine, epochs"):
        ablation.table(folder)
    (folder / "recipe.json").unlink()
    with pytest.raises(ValueError, match=r"There is no .*recipe.json"):
        ablation.table(folder)


def test_an_ablation_without_data_says_so(monkeypatch, tmp_path, capsys):
    def missing(*_, **__):
        raise CorpusError("no file")

    monkeypatch.setattr(ablation, "multi30k", missing)
    assert ablation.main(["--only", "dropout", "--results", str(tmp_path)]) == 2
    assert "skipped: no data. no file" in capsys.readouterr().err
