"""What each process of ``test_distributed.py`` does; started by torchrun, or alone to compare with.

torchrun --standalone --nproc-per-node 2 tests/support/distributed_worker.py TASK FOLDER
"""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from seq2seq_lib import laws, translate
from seq2seq_lib.batching import make_loader
from seq2seq_lib.corpora import Corpus, phrases
from seq2seq_lib.losses import LossSum
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import (
    Processes,
    TrainConfig,
    fit,
    joined,
    load_checkpoint,
    teacher_forced_loss,
    train_step,
)
from tests.laws import mutants_shard_invariance as zoo

PLAIN = TrainConfig(epochs=3, learning_rate=0.05, clip_norm=None)
CASES = {
    "one batch a step": PLAIN,
    "accumulated": TrainConfig(epochs=3, learning_rate=0.05, clip_norm=None, accumulate=2),
    "clipped": TrainConfig(epochs=3, learning_rate=0.05, clip_norm=0.4, accumulate=2),
    "stopped early": TrainConfig(epochs=30, learning_rate=0.3, clip_norm=1.0, patience=1),
    "averaged": TrainConfig(epochs=3, learning_rate=0.05, average_from=0.5),
}
LONG = TrainConfig(epochs=3, learning_rate=0.02, checkpoint_every=1)


def make_model(seed=0, dropout=0.0):
    torch.manual_seed(seed)
    sizes = {"src_vocab_size": 11, "tgt_vocab_size": 13, "embed_size": 5, "hidden_size": 6}
    # float64: what is left of rounding is far below Adam's epsilon (see the test)
    return Seq2Seq(Seq2SeqConfig(**sizes, dropout=dropout)).double()


def make_data(count=21, seed=0, **options):
    """21 sentences in batches of 5: three rows and two, and at last one row and none."""
    generator = torch.Generator().manual_seed(3)

    def sentence(size):
        length = int(torch.randint(1, 9, (), generator=generator))
        return torch.randint(3, size, (length,), generator=generator).tolist()

    examples = [(sentence(11), sentence(13)) for _ in range(count)]
    return make_loader(examples, 5, seed=seed, **options)


def run(config, model=None, **options):
    """What ``fit`` gives: plain data that all processes should agree on."""
    model = make_model() if model is None else model
    valid = make_data(13, shuffle=False)
    history = fit(model, make_data(), valid, config, progress=False, **options)
    records = [(r.step, r.train_loss, r.valid_loss, r.tokens) for r in history.records]
    return {"records": records, "stopped": history.stopped_early, "weights": model.state_dict()}


# --- law 7


def gradients_of(model):
    """``gradients`` of law 7: one batch in one process, several dealt out to the processes."""
    parameters = list(model.parameters())

    def step(shards):
        optimizer = torch.optim.SGD(parameters, lr=0.0)
        return train_step(
            model, shards, optimizer, loss_function=teacher_forced_loss(), clip_norm=None
        )

    def gradients(shards):
        if len(shards) == 1:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(torch.distributed, "is_initialized", lambda: False)
                loss = step(shards)
        else:
            loss = step(shards[Processes().rank :: Processes().size])
        # from float64, or the law would ask for the precision of float64
        results = [loss.mean.to(parameters[0].dtype)]
        results += [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        for result in results:  # a mutant's may differ: all judge those of process 0
            torch.distributed.broadcast(result, 0)
        return results[0], results[1:]

    return gradients


def judge(model):
    verdict = laws.shard_invariance(gradients_of(model))
    return {"holds": verdict.holds, "checks": len(verdict.checks), "text": str(verdict)}


# --- wrong ways, put in the place of the right ones


def own_tokens_only(processes, losses):
    """Divides the sum of all gradients by the tokens of this process."""
    return sum(losses, LossSum(torch.zeros(()), torch.zeros(())))


def averaged_gradients(processes, parameters):
    """What DistributedDataParallel does with a sum: one divides by tokens, and by processes."""
    parameters = list(parameters)
    RIGHT["sum_gradients"](processes, parameters)
    for parameter in parameters:
        parameter.grad /= processes.size


def average_of_averages(processes, parameters):
    """Each process's mean over its own tokens, averaged: DDP with a loss that is a mean."""
    parameters = list(parameters)
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad *= STATE["all"] / max(1, STATE["own"]) / processes.size
    RIGHT["sum_gradients"](processes, parameters)


STATE = {}


def watched_losses(processes, losses):
    found = RIGHT["sum_losses"](processes, losses)
    STATE.update(own=int(sum(int(loss.tokens) for loss in losses)), all=int(found.tokens))
    return found


RIGHT = {name: getattr(Processes, name) for name in ("sum_losses", "sum_gradients")}
MUTANTS = {
    "average of averages": {
        "sum_losses": watched_losses,
        "sum_gradients": average_of_averages,
    },
    "averaged gradients": {"sum_gradients": averaged_gradients},
    "tokens of one's own": {"sum_losses": own_tokens_only},
    "gradients of one's own": {"sum_gradients": lambda processes, parameters: None},
}


def mutated(name, task):
    with pytest.MonkeyPatch.context() as patch:
        for function, wrong in MUTANTS[name].items():
            patch.setattr(Processes, function, wrong)
        return task()


# --- tasks


def compare(folder):
    """All runs that one process does as well."""
    return {name: run(config) for name, config in CASES.items()}


def together(folder):
    """What needs two processes."""
    rank = Processes().rank
    found = compare(folder)
    found["law"] = {"ours": judge(zoo.MODEL), "Seq2Seq": judge(make_model())}
    found["law"] |= {name: mutated(name, lambda: judge(zoo.MODEL)) for name in MUTANTS}
    found["mutants"] = {name: mutated(name, lambda: run(CASES["accumulated"])) for name in MUTANTS}
    found["refused"] = refusals(rank)
    found["gradients"] = odd_gradients(rank)

    draws, called = [], []

    def noisy(model, batch, step):
        if model.training:
            draws.append(float(torch.rand(())))
        return teacher_forced_loss()(model, batch, step)

    path = folder / f"process{rank}.pt"
    options = {"checkpoint_path": path, "loss_function": noisy}
    model = make_model(dropout=0.3)
    found["whole"] = run(
        LONG, model, after_epoch=lambda model, record: called.append(record.epoch), **options
    )
    found["draws"], found["called"] = draws.copy(), called
    found["random"] = torch.get_rng_state()
    checkpoint = load_checkpoint(folder / "crashed.pt")
    found["crashed at"] = checkpoint.progress["step"]
    model = make_model(seed=5, dropout=0.3)
    found["resumed"] = run(LONG, model, resume=checkpoint, loss_function=noisy)
    return found


def refusals(rank):
    """Each call differs between the processes: both must say so, and nothing may hang."""
    calls = {
        "weights": lambda: run(PLAIN, make_model(seed=rank)),
        "settings": lambda: run(TrainConfig(epochs=1 + rank)),
        "batches": lambda: fit(make_model(), make_data(seed=rank), progress=False),
        "numbers of batches": lambda: fit(make_model(), make_data(21 + 9 * rank), progress=False),
        "validation batches": lambda: fit(
            make_model(), make_data(), make_data(8 + rank), PLAIN, progress=False
        ),
        "random states": lambda: (model := make_model(), torch.rand(rank + 1), run(PLAIN, model)),
    }
    messages = {}
    for name, call in calls.items():
        try:
            call()
        except ValueError as error:
            messages[name] = str(error)
    return messages


def odd_gradients(rank):
    """Parameters that some process, or none, or all use; of two dtypes; one that is frozen."""
    both, one, none, frozen = (torch.nn.Parameter(torch.zeros(2, 3)) for _ in range(4))
    wide = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    frozen.requires_grad_(False)
    both.grad = torch.full((2, 3), rank + 1.0)
    wide.grad = torch.full((2,), 0.1 * (rank + 1), dtype=torch.float64)
    if rank == 1:
        one.grad = torch.full((2, 3), 7.0)
    Processes().sum_gradients([both, one, none, frozen, wide])
    return [p.grad for p in (both, one, none, frozen, wide)]


def crash(folder):
    """Process 1 fails in the middle of the second epoch."""

    def fails(model, batch, step):
        if Processes().rank == 1 and step >= 6:
            raise ArithmeticError("a failure on purpose")
        if model.training:
            torch.rand(())  # as in the run that is not interrupted
        return teacher_forced_loss()(model, batch, step)

    model = make_model(dropout=0.3)
    run(LONG, model, checkpoint_path=folder / "crashed.pt", loss_function=fails)


def command(folder):
    """The command, on generated phrases in the place of Multi30k and without dropout."""
    corpus = phrases(num_train=120, num_valid=12, num_test=12)
    named = Corpus("multi30k-de-en", corpus.train, corpus.valid, corpus.test)
    translate.texts.multi30k = lambda languages, data_dir=None: named
    translate.command.Recipe = partial(translate.Recipe, dropout=0.0, warmup_steps=5)
    small = "--hidden-size 8 --num-pieces 90 --batch-size 16 --accumulate 2".split()
    arguments = ["train", "--device", "cpu", "--checkpoint", str(folder / "command.pt"), *small]
    code = translate.main([*arguments, "--epochs", "2"])
    sys.exit(code or translate.main([*arguments, "--epochs", "2"]) - 2)


def main(task, folder):
    torch.set_num_threads(1)
    if task == "command":
        command(folder)
    with joined():
        found = globals()[task](folder)
        torch.save(found, folder / f"{task}-{Processes().rank}.pt")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
