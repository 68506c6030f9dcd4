"""Two processes that torchrun starts train as one: same losses, gradients and weights (law 7).

``distributed_worker.py`` is what each process runs. Here its results are compared with those of
one process. Sums over other pieces round differently; in float64 that is some 1e-16, and Adam
divides it by gradients or by its epsilon of 1e-8: TOLERANCE leaves room for that and no more.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seq2seq_lib.batching import collate
from seq2seq_lib.losses import LossSum
from seq2seq_lib.training import load_checkpoint, processes
from tests.support import distributed_worker as worker

TOLERANCE = 1e-10
WORKER = Path(worker.__file__)

has_gloo = torch.distributed.is_available() and torch.distributed.is_gloo_available()
needs_gloo = pytest.mark.skipif(
    not has_gloo or sys.platform == "win32",
    reason="needs torchrun and gloo, which this PyTorch does not have (or not on Windows)",
)


def launch(task, folder, processes=2):
    """Run a task of the worker; ``--standalone`` lets torchrun find a free port."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(torchrun if processes > 1 else [])]
    command += [str(WORKER), task, str(folder)]
    path = [os.environ.get("PYTHONPATH", ""), str(WORKER.parents[2])]
    environment = {
        **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, path))
    }  # fmt: skip
    # A hang is a defect that this timeout turns red; it is far above what slow machines need.
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", timeout=240
    )


def largest_difference(one, other):
    names = one["weights"].keys() | other["weights"].keys()
    return max(float((one["weights"][n] - other["weights"][n]).abs().max()) for n in names)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """A folder, and what torchrun said: process 1 failed in the second epoch."""
    folder = tmp_path_factory.mktemp("distributed")
    return folder, launch("crash", folder)


@pytest.fixture(scope="module")
def pair(crashed):
    """What the two processes found."""
    folder, _ = crashed
    done = launch("together", folder)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"together-{r}.pt", weights_only=True) for r in range(2)]


@pytest.fixture(scope="module")
def alone():
    """What one process finds."""
    with torch.random.fork_rng():
        return worker.compare(None)


# --- in two processes


@needs_gloo
@pytest.mark.slow
@pytest.mark.parametrize("case", worker.CASES)
def test_two_processes_train_as_one(case, pair, alone):
    for found in pair:
        assert found[case]["stopped"] == alone[case]["stopped"] == (case == "stopped early")
        assert len(found[case]["records"]) == len(alone[case]["records"])
        for mine, theirs in zip(found[case]["records"], alone[case]["records"], strict=True):
            assert mine == pytest.approx(theirs, abs=TOLERANCE, rel=0)
        assert largest_difference(found[case], alone[case]) < TOLERANCE


@needs_gloo
@pytest.mark.slow
def test_the_processes_end_with_the_same_bits(pair):
    for case in [*worker.CASES, "whole", "resumed"]:
        assert pair[0][case]["records"] == pair[1][case]["records"]
        assert largest_difference(pair[0][case], pair[1][case]) == 0


@needs_gloo
@pytest.mark.slow
@pytest.mark.parametrize("name", worker.MUTANTS)
def test_wrong_ways_to_add_up_are_seen(name, pair, alone):
    # Adam divides a constant factor out again, but for its epsilon: hence no larger a threshold.
    assert largest_difference(pair[0]["mutants"][name], alone["accumulated"]) > 1e6 * TOLERANCE
    assert not pair[0]["law"][name]["holds"]


@needs_gloo
@pytest.mark.slow
@pytest.mark.parametrize("model", ["ours", "Seq2Seq"])
def test_law_7_holds_for_train_step_in_two_processes(model, pair):
    for found in pair:
        assert found["law"][model]["holds"], found["law"][model]["text"]
        assert found["law"][model]["checks"] >= 10


@needs_gloo
@pytest.mark.slow
def test_the_law_names_the_mistake_of_averaging_averages(pair):
    assert "averaging averages" in pair[0]["law"]["average of averages"]["text"]
    assert "once too often" in pair[0]["law"]["averaged gradients"]["text"]


@needs_gloo
@pytest.mark.slow
def test_gradients_are_summed_whoever_has_them(pair):
    for found in pair:
        both, one, none, frozen, wide = found["gradients"]
        assert torch.equal(both, torch.full((2, 3), 3.0))
        assert torch.equal(one, torch.full((2, 3), 7.0))
        assert none is None and frozen is None  # weight decay must not touch what nobody uses
        torch.testing.assert_close(wide, torch.full((2,), 0.3, dtype=torch.float64))


@needs_gloo
@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "part"),
    [
        ("weights", "weights at the start differ between the 2 processes: call runtime.seed"),
        ("settings", "settings differ between the 2 processes: give all the same config"),
        ("batches", "batches differ .*same whole loader"),
        ("numbers of batches", "numbers of batches differ"),
        ("validation batches", "validation batches differ"),
        ("random states", "random states at the start differ"),
    ],
)
def test_processes_that_do_not_agree_are_refused_in_each_of_them(what, part, pair):
    for found in pair:
        with pytest.raises(ValueError, match=part):
            raise ValueError(found["refused"][what])


@needs_gloo
@pytest.mark.slow
def test_dropout_differs_between_the_processes_and_the_common_stream_does_not(pair):
    mine, theirs = (found["draws"] for found in pair)
    assert not set(mine) & set(theirs)
    assert len(set(mine)) == len(mine) > 10  # nor does a step repeat the noise of the last
    assert torch.equal(pair[0]["random"], pair[1]["random"])


@needs_gloo
@pytest.mark.slow
def test_process_0_alone_writes_and_reports(crashed, pair):
    folder, _ = crashed
    assert (folder / "process0.pt").exists() and not (folder / "process1.pt").exists()
    assert (pair[0]["called"], pair[1]["called"]) == ([1, 2, 3], [])


@needs_gloo
@pytest.mark.slow
def test_a_failure_of_one_process_ends_all_and_leaves_a_whole_checkpoint(crashed):
    folder, done = crashed
    assert done.returncode != 0 and "a failure on purpose" in done.stderr
    assert load_checkpoint(folder / "crashed.pt").progress["step"] >= 6
    assert not list(folder.glob("crash-*"))  # neither process came to its end


@needs_gloo
@pytest.mark.slow
def test_resuming_gives_the_bits_of_a_run_that_was_not_interrupted(pair):
    assert 6 <= pair[0]["crashed at"] < 15
    for found in pair:
        assert found["resumed"]["records"] == found["whole"]["records"]
        assert largest_difference(found["resumed"], found["whole"]) == 0


@needs_gloo
@pytest.mark.slow
def test_the_command_trains_under_torchrun_as_alone(tmp_path):
    pytest.importorskip("sentencepiece")  # an extra
    lines = {}
    for count in (1, 2):
        folder = tmp_path / str(count)
        folder.mkdir()
        done = launch("command", folder, count)
        assert done.returncode == 0, done.stderr
        lines[count] = [line for line in done.stdout.splitlines() if line]
        assert done.stderr.count("error: ") == count  # the second call refuses the old file
        assert len(list(folder.iterdir())) == 1
    assert [line.split(":")[0] for line in lines[2][:2]] == ["epoch 1", "epoch 2"]
    assert "command.pt written after" in lines[2][2] and len(lines[2]) == 3
    one, two = (load_checkpoint(tmp_path / n / "command.pt") for n in ("1", "2"))
    # 120 sentences are 8 batches of 16; --accumulate 2 makes 4 steps of them
    assert [record["step"] for record in two.progress["history"]] == [4, 8]
    for mine, theirs in zip(one.progress["history"], two.progress["history"], strict=True):
        assert (mine["step"], mine["tokens"]) == (theirs["step"], theirs["tokens"])
        # float32: some 1e-7 a sum, and Adam may turn the rounding of a gradient near 0 into a step
        assert mine["valid_loss"] == pytest.approx(theirs["valid_loss"], rel=1e-3)


# --- in one process, without a group


def test_without_torchrun_nothing_happens():
    device = torch.device("cpu")
    with processes.joined(device) as found:
        assert found == device and not torch.distributed.is_initialized()
    alone = processes.Processes(device)
    assert (alone.rank, alone.size, alone.speaks) == (0, 1, True)
    batches = [collate([([4], [5])])]
    assert alone.share(batches) == batches
    losses = [
        LossSum(torch.tensor(2.0), torch.tensor(1)),
        LossSum(torch.tensor(3.0), torch.tensor(4)),
    ]
    found = alone.sum_losses(losses)
    assert (found.total, found.tokens) == (5, 5) and found.total.dtype == torch.float32
    parameter = torch.nn.Parameter(torch.ones(2))  # without a gradient, and it stays so
    alone.sum_gradients([parameter])
    assert parameter.grad is None
    before = torch.get_rng_state()
    with alone.own_noise():
        pass
    values = iter([1])
    alone.check_same("numbers", values, "nothing")
    assert next(values) == 1  # nothing was even looked at
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("size", [2, 3, 7])
def test_shares_are_the_whole_batch_also_when_rows_are_few(size, monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: size)
    examples = [([4] * n, [5] * (9 - n)) for n in range(1, 6)]
    batches = [collate(examples), collate(examples[:1])]
    rows, found = [[], []], 0
    for rank in range(size):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        shares = processes.Processes().share(batches)
        assert len(shares) == sum(rank < len(batch) for batch in batches)
        for batch, share in zip(batches, shares, strict=False):
            assert share.src.shape[1] == batch.src.shape[1]
            found += int(share.tgt_lengths.sum())
        rows[0] += shares[0].src_lengths.tolist() if shares else []
    assert sorted(rows[0]) == sorted(batches[0].src_lengths.tolist())
    assert found == sum(int(batch.tgt_lengths.sum()) for batch in batches)


@pytest.mark.parametrize(
    "other",
    [[torch.tensor([1, 3])], [torch.tensor([[1, 2]])], [torch.tensor([1.0, 2.0])], [1, 2], []],
)
def test_the_fingerprint_sees_values_shapes_and_dtypes(other):
    mine = processes._fingerprint([torch.tensor([1, 2])])
    assert mine == processes._fingerprint(iter([torch.tensor([1, 2])]))
    assert 0 <= mine < 2**62 and mine != processes._fingerprint(other)
