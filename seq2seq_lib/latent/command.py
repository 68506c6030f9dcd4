"""The command: train a sentence VAE, write sentences from its prior, walk, and measure it.

python -m seq2seq_lib.latent train --corpus echo --checkpoint echo.pt
python -m seq2seq_lib.latent sample --checkpoint echo.pt --number 20 --out sentences.txt
python -m seq2seq_lib.latent interpolate --checkpoint echo.pt "anna sees boris …" "hugo calls …"
python -m seq2seq_lib.latent evaluate --checkpoint echo.pt --importance-samples 100
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from seq2seq_lib._arguments import at_least
from seq2seq_lib._command import exit_code
from seq2seq_lib.batching import Example, collate, make_loader
from seq2seq_lib.corpora import detokenize, tokenize
from seq2seq_lib.corpora.echo_task import ECHO_WORDS
from seq2seq_lib.decoding import sample as sampling
from seq2seq_lib.latent.measures import (
    active_units,
    evaluate_elbo,
    importance_bound,
    interpolate,
    latent_loss,
)
from seq2seq_lib.latent.model import LatentConfig, LatentSeq2Seq
from seq2seq_lib.latent.sentences import (
    Sentences,
    as_examples,
    digest,
    read_corpus,
    split,
    write_lines,
)
from seq2seq_lib.runtime import LARGEST_SEED, seed_everything
from seq2seq_lib.schedules import cyclical, linear, logistic
from seq2seq_lib.training import (
    Checkpoint,
    CheckpointError,
    TrainConfig,
    check_folder,
    fit,
    load_checkpoint,
)
from seq2seq_lib.vocab import Vocab

SCHEDULES: dict[str, Callable[[int], Callable[[int], float] | None]] = {
    "constant": lambda steps: None,
    "linear": lambda steps: partial(linear, start=0, end=1, num_steps=steps),
    "logistic": lambda steps: partial(
        logistic, start=0, end=1, midpoint=steps / 2, steepness=10 / steps
    ),
    "cyclical": lambda steps: partial(cyclical, start=0, end=1, num_steps=2 * steps),
}


def load_model(path: Path) -> tuple[LatentSeq2Seq, Vocab, Checkpoint]:
    """What ``train`` wrote; a ``CheckpointError`` for any other file."""
    checkpoint = load_checkpoint(path)
    model = checkpoint.build(LatentSeq2Seq)
    if checkpoint.src_vocab is None:
        raise CheckpointError(f"{path} holds no vocabulary: it was not written by this command.")
    return model, checkpoint.src_vocab, checkpoint


def check_same_sentences(
    path: Path, checkpoint: Checkpoint, name: str, sentences: Sentences
) -> None:
    """Refuse other sentences: which are held out depends on all, and a model knows the rest."""
    trained_on = checkpoint.extra.get("corpus")
    if trained_on != name:
        raise CheckpointError(f"{path} was trained on {trained_on}, not on {name}.")
    if checkpoint.extra.get("sentences", "") not in ("", digest(sentences)):
        raise CheckpointError(
            f"{path} was trained on other sentences of {name}, and has seen some of those that are "
            f"held out now: give the same file, --limit and --max-words."
        )


def write_sentences(
    model: LatentSeq2Seq, vocab: Vocab, z: torch.Tensor, options: argparse.Namespace
) -> list[str]:
    """The text of each code, cut at its EOS."""
    search = {}
    if options.search == "sample":
        search = {"search": sampling, "generator": torch.Generator().manual_seed(options.seed)}
    found = model.generate(z, max_new_tokens=options.max_new_tokens, **search)
    return [detokenize(vocab.decode(best.tokens)) for (best, *_) in found]


# ---------------------------------------------------------------- the commands


def run_train(options: argparse.Namespace) -> None:
    """Train, with a checkpoint after each epoch."""
    path = options.checkpoint
    check_folder(path)
    if path.exists() and not (options.resume or options.overwrite):
        raise CheckpointError(
            f"{path} exists: go on with --resume, or replace it with --overwrite."
        )
    name, sentences = read_corpus(options.corpus, options.text, options.max_words, options.limit)
    old = None
    if options.resume:
        model, vocab, old = load_model(path)
        check_same_sentences(path, old, name, sentences)
        model.train()
    seed_everything(options.seed)
    train, valid = split(sentences)
    if old is None:
        echo = options.text is None and options.corpus == "echo"
        vocab = Vocab(ECHO_WORDS) if echo else Vocab.build(train, min_freq=options.min_freq)
        sizes = {"embed_size": options.hidden_size // 2, "hidden_size": options.hidden_size}
        model = LatentSeq2Seq(LatentConfig(len(vocab), latent_size=options.latent_size, **sizes))
    schedule = SCHEDULES[options.schedule](options.ramp_steps)
    print(f"{name}: {len(train)} sentences to train, {len(valid)} to validate, {len(vocab)} words")
    history = fit(
        model,
        make_loader(as_examples(train, vocab), options.batch_size, seed=options.seed),
        make_loader(as_examples(valid, vocab), options.batch_size, shuffle=False),
        TrainConfig(epochs=options.epochs, learning_rate=options.learning_rate, weight_decay=0.0),
        loss_function=latent_loss(schedule, options.free_bits, options.word_dropout),
        checkpoint_path=path,
        resume=old,
        src_vocab=vocab,
        tgt_vocab=vocab,
        extra={"corpus": name, "sentences": digest(sentences)},
        progress=not options.quiet,
    )
    report(model, as_examples(valid, vocab), 0, options.seed)
    print(f"{len(history.records)} epochs; the model is in {path}")


def report(model: LatentSeq2Seq, examples: list[Example], samples: int, seed: int) -> None:
    """Print the two terms, what tells a collapse, and a tighter bound."""
    batches = [collate(examples[i : i + 64]) for i in range(0, len(examples), 64)]
    terms = evaluate_elbo(model, batches)
    total = (terms.reconstruction + terms.kl).mean()
    print(
        f"nats a sentence: reconstruction {terms.reconstruction.mean():.2f}, "
        f"KL {terms.kl.mean():.2f}, -ELBO {total:.2f}"
    )
    if len(examples) > 1:
        print(f"active units: {active_units(terms.mu)} of {terms.mu.size(1)}")
    found = [best.tokens for (best,) in model.generate(terms.mu, max_new_tokens=30)]
    print(f"different copies: {len(set(map(tuple, found)))} of {len(found)}")
    if samples:
        generator = torch.Generator().manual_seed(seed)
        tight = torch.cat([importance_bound(model, b, samples, generator) for b in batches])
        print(f"-log p(x) is at most {tight.mean():.2f}, from {samples} samples a sentence")


def run_sample(options: argparse.Namespace) -> None:
    """Write sentences decoded from draws of the prior, one a line."""
    model, vocab, _ = load_model(options.checkpoint)
    z = model.prior(options.number, torch.Generator().manual_seed(options.seed))
    lines = write_sentences(model, vocab, z, options)
    text = "".join(f"{line}\n" for line in lines)
    if options.out is None:
        sys.stdout.write(text)
        return
    write_lines(options.out, text)
    print(f"{len(lines)} sentences, {len(set(lines))} different, in {options.out}")


def run_interpolate(options: argparse.Namespace) -> None:
    """Print sentences on the line between the codes of two."""
    model, vocab, _ = load_model(options.checkpoint)
    ends = [tokenize(text) for text in (options.start, options.end)]
    if not all(ends):
        raise ValueError("Both sentences need a word at least.")
    pair = collate(as_examples(ends, vocab))
    with torch.no_grad():
        mu, _ = model.encode(pair.src, pair.src_lengths)
    for line in write_sentences(model, vocab, interpolate(*mu, options.points), options):
        print(line)


def run_evaluate(options: argparse.Namespace) -> None:
    """Print the numbers of a model on the sentences that training held out."""
    model, vocab, checkpoint = load_model(options.checkpoint)
    name, sentences = read_corpus(options.corpus, options.text, options.max_words, options.limit)
    check_same_sentences(options.checkpoint, checkpoint, name, sentences)
    examples = as_examples(split(sentences)[1], vocab)
    report(model, examples, options.importance_samples, options.seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        see ``exit_code``.
    """
    options = _parser().parse_args(arguments)

    def work() -> None:
        torch.set_num_threads(1)
        options.run(options)

    return exit_code(work, lambda: "Interrupted: the last whole checkpoint, if any, is kept.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seq2seq_lib.latent",
        description="Train a VAE for sentences, write sentences from its prior, measure it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="the model")
    common.add_argument(
        "--seed", type=at_least(0, most=LARGEST_SEED), default=0, help="of all random numbers"
    )
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--corpus", choices=("echo", "tatoeba"), default="echo", help="what to read")
    data.add_argument("--text", type=Path, metavar="FILE", help="a sentence a line, instead")
    data.add_argument("--max-words", type=at_least(1), default=10, help="longer ones are left out")
    data.add_argument("--limit", type=at_least(2), default=6400, help="use the first N sentences")
    text = argparse.ArgumentParser(add_help=False)
    text.add_argument("--search", choices=("greedy", "sample"), default="greedy", help="for words")
    text.add_argument("--max-new-tokens", type=at_least(1), default=20, help="EOS counted")

    def add(name: str, run: Callable, words: str, *parents: argparse.ArgumentParser):
        command = commands.add_parser(
            name,
            help=words,
            description=words,
            parents=[common, *parents],
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.set_defaults(run=run)
        return command

    command = add("train", run_train, "train a model, a checkpoint an epoch", data)
    command.add_argument("--epochs", type=at_least(1), default=2, help="passes over the corpus")
    command.add_argument("--batch-size", type=at_least(1), default=32, help="sentences a step")
    command.add_argument("--learning-rate", type=at_least(1e-8, float), default=1e-2, help="Adam")
    command.add_argument("--schedule", choices=tuple(SCHEDULES), default="linear", help="KL weight")
    command.add_argument("--ramp-steps", type=at_least(1), default=200, help="until weight 1")
    command.add_argument(
        "--free-bits", type=at_least(0, float), default=0.0, help="nats a sentence"
    )
    command.add_argument(
        "--word-dropout", type=at_least(0, float), default=0.0, help="share hidden"
    )
    command.add_argument("--latent-size", type=at_least(1), default=8, help="numbers of a code")
    command.add_argument("--hidden-size", type=at_least(2), default=32, help="even")
    command.add_argument("--min-freq", type=at_least(1), default=2, help="rarer words are unknown")
    command.add_argument("--quiet", action="store_true", help="no progress")
    old = command.add_mutually_exclusive_group()
    old.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    old.add_argument("--overwrite", action="store_true", help="replace an old checkpoint")

    command = add("sample", run_sample, "write sentences drawn from the prior, one a line", text)
    command.add_argument("--number", type=at_least(1), default=20, help="how many")
    command.add_argument("--out", type=Path, metavar="FILE", help="else they are printed")

    command = add("interpolate", run_interpolate, "sentences between two sentences", text)
    command.add_argument("start", help="a sentence")
    command.add_argument("end", help="another one")
    command.add_argument("--points", type=at_least(2), default=7, help="both ends counted")

    command = add("evaluate", run_evaluate, "the bound on held-out sentences", data)
    command.add_argument("--importance-samples", type=at_least(0), default=0, help="a sentence")
    return parser
