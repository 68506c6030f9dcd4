"""From text to text: ``Translator``, and a command that trains, translates and evaluates.

python -m seq2seq_lib.translate train --languages de en --checkpoint de-en.pt
python -m seq2seq_lib.translate translate --checkpoint de-en.pt "Ein Hund läuft im Schnee."
python -m seq2seq_lib.translate evaluate --checkpoint de-en.pt

Training with two processes, on two processors or two GPUs:
torchrun --nproc-per-node 2 -m seq2seq_lib.translate train --checkpoint de-en.pt
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from seq2seq_lib import distributed
from seq2seq_lib.batching import collate, make_loader
from seq2seq_lib.corpora import Corpus, detokenize, multi30k, tokenize
from seq2seq_lib.corpora.download import cache_folder
from seq2seq_lib.decoding import Hypothesis, beam_search
from seq2seq_lib.metrics import corpus_bleu
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import (
    Checkpoint,
    CheckpointError,
    EpochRecord,
    History,
    TrainConfig,
    fit,
    load_checkpoint,
)
from seq2seq_lib.vocab import UNK_ID, Vocab


@dataclass(frozen=True)
class Translation:
    """One translated line.

    Attributes:
        text: the output.
        source, target: tokens, EOS not shown.
        unknown: source tokens that the vocabulary does not hold; the model saw UNK in their place.
        log_prob: of the output, nats.
        attention: ``[len(target), len(source) + 1]``, the last column being the source's EOS; None
            for a model without attention.
        finished: False if the output was cut at the maximal length.
    """

    text: str
    source: list[str]
    target: list[str]
    unknown: list[str]
    log_prob: float
    attention: Tensor | None
    finished: bool


@dataclass(frozen=True)
class Translator:
    """A model with what it needs to read and write text.

    Attributes:
        model: has the decoding protocol; it is used on the device where it lies.
        src_vocab, tgt_vocab: of the model.
        tokenize: text to source tokens.
        detokenize: target tokens to text.
    """

    model: nn.Module
    src_vocab: Vocab
    tgt_vocab: Vocab
    tokenize: Callable[[str], Sequence[str]] = tokenize
    detokenize: Callable[[Sequence[str]], str] = detokenize

    def __call__(
        self,
        lines: Sequence[str],
        *,
        num_beams: int = 5,
        length_penalty: float = 1.0,
        max_new_tokens: int = 80,
        batch_size: int = 64,
    ) -> list[Translation]:
        """Translate lines by beam search, in the given order. An empty line reads as EOS alone."""
        if isinstance(lines, str):
            raise TypeError("Give a list of lines, not one string: translator([text]).")
        device = next(self.model.parameters()).device
        sources = [list(self.tokenize(line)) if line.strip() else [] for line in lines]
        done: list[Translation | None] = [None] * len(lines)
        order = sorted(range(len(lines)), key=lambda i: len(sources[i]))  # little padding
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = collate([(self.src_vocab.encode(sources[i]), []) for i in rows]).to(device)
            found = beam_search(
                self.model,
                batch.src,
                batch.src_lengths,
                num_beams=num_beams,
                length_penalty=length_penalty,
                max_new_tokens=max_new_tokens,
            )
            for i, (best, *_) in zip(rows, found, strict=True):
                done[i] = self._translation(sources[i], best)
        return done

    def _translation(self, source: list[str], hypothesis: Hypothesis) -> Translation:
        ids = hypothesis.tokens[:-1] if hypothesis.finished else hypothesis.tokens
        attention = hypothesis.attention
        if attention is not None:  # without the row of EOS and the columns of pads
            attention = attention[: len(ids), : len(source) + 1].cpu()
        target = [self.tgt_vocab.tokens[i] for i in ids]
        if attention is not None and UNK_ID in ids and source:
            # "<unk>" helps nobody: copy the source word that it looked at (Luong et al. 2015b)
            looked = attention[:, :-1].argmax(1).tolist()
            target = [
                source[looked[t]] if i == UNK_ID else self.tgt_vocab.tokens[i]
                for t, i in enumerate(ids)
            ]
        return Translation(
            text=self.detokenize(target),
            source=source,
            target=target,
            unknown=[t for t in source if self.src_vocab.encode([t]) == [UNK_ID]],
            log_prob=hypothesis.log_prob,
            attention=attention,
            finished=hypothesis.finished,
        )


@dataclass(frozen=True)
class Recipe:
    """How ``train`` trains on Multi30k unless told otherwise.

    The fields are those of ``Seq2SeqConfig`` and ``TrainConfig``.
    """

    num_pieces: int = 6000  # subwords, of each language
    embed_size: int = 256
    hidden_size: int = 256
    attention: str = "dot"
    attend_first: bool = False
    tie_embeddings: bool = True
    dropout: float = 0.3
    batch_size: int = 64
    accumulate: int = 1  # such batches a step
    epochs: int = 10
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    cosine_decay: bool = True
    average_from: float | None = None
    label_smoothing: float = 0.1
    weight_decay: float = 0.01
    seed: int = 1


def train(
    corpus: Corpus,
    recipe: Recipe,
    *,
    checkpoint_path: str | os.PathLike[str] | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
    after_epoch: Callable[[nn.Module, EpochRecord], None] | None = None,
    progress: bool = True,
) -> tuple[Translator, History]:
    """Train a translation model on the pieces of a corpus's words.

    Args:
        resume: go on from ``checkpoint_path``, with the pieces and sizes stored there.
        Others as in ``training.fit``.
    """
    seed_everything(recipe.seed)
    checkpoint = load_checkpoint(checkpoint_path) if resume else None
    if checkpoint is None:
        read = Subwords.train((detokenize(p.source) for p in corpus.train), recipe.num_pieces)
        write = Subwords.train((detokenize(p.target) for p in corpus.train), recipe.num_pieces)
        src_vocab, tgt_vocab = read.vocab(), write.vocab()
        model = Seq2Seq(
            Seq2SeqConfig(
                src_vocab_size=len(src_vocab),
                tgt_vocab_size=len(tgt_vocab),
                embed_size=recipe.embed_size,
                hidden_size=recipe.hidden_size,
                dropout=recipe.dropout,
                attention=recipe.attention,
                attend_first=recipe.attend_first,
                tie_embeddings=recipe.tie_embeddings,
            )
        )
    else:
        read, write = _load_subwords(checkpoint)
        _check_corpus(checkpoint, corpus.name)
        src_vocab, tgt_vocab = checkpoint.src_vocab, checkpoint.tgt_vocab
        model = checkpoint.build()
    train_ids, valid_ids = (
        [
            (
                src_vocab.encode(read.encode(detokenize(pair.source))),
                tgt_vocab.encode(write.encode(detokenize(pair.target))),
            )
            for pair in pairs
        ]
        for pairs in (corpus.train, corpus.valid)
    )
    pin = torch.device(device).type == "cuda"
    history = fit(
        model,
        make_loader(train_ids, recipe.batch_size, seed=recipe.seed, pin_memory=pin),
        make_loader(valid_ids, recipe.batch_size, shuffle=False, pin_memory=pin),
        TrainConfig(
            epochs=recipe.epochs,
            learning_rate=recipe.learning_rate,
            warmup_steps=recipe.warmup_steps,
            cosine_decay=recipe.cosine_decay,
            average_from=recipe.average_from,
            weight_decay=recipe.weight_decay,
            label_smoothing=recipe.label_smoothing,
            accumulate=recipe.accumulate,
        ),
        device=device,
        checkpoint_path=checkpoint_path,
        resume=checkpoint,
        src_vocab=src_vocab,
        tgt_vocab=tgt_vocab,
        extra={"read": _as_tensor(read), "write": _as_tensor(write), "corpus": corpus.name},
        after_epoch=after_epoch,
        progress=progress,
    )
    return Translator(model, src_vocab, tgt_vocab, read.encode, write.decode), history


def default_checkpoint(languages: tuple[str, str]) -> Path:
    """Where the command keeps a model, and where chapter 9 looks for it."""
    return cache_folder() / f"translate-{languages[0]}-{languages[1]}.pt"


def load_translator(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> Translator:
    """The translator that ``train`` wrote; a ``CheckpointError`` for any other file."""
    return _make_translator(load_checkpoint(path), device)


def _make_translator(checkpoint: Checkpoint, device: torch.device | str) -> Translator:
    read, write = _load_subwords(checkpoint)
    model = checkpoint.build().to(device)
    return Translator(model, checkpoint.src_vocab, checkpoint.tgt_vocab, read.encode, write.decode)


def _as_tensor(subwords: Subwords) -> Tensor:
    return torch.frombuffer(bytearray(subwords.to_bytes()), dtype=torch.uint8)


def _load_subwords(checkpoint: Checkpoint) -> tuple[Subwords, Subwords]:
    try:
        read, write = (
            Subwords(bytes(checkpoint.extra[side].tolist())) for side in ("read", "write")
        )
    except (AttributeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"This checkpoint cannot read or write text ({error!r}): it was not written by "
            f"seq2seq_lib.translate."
        ) from error
    if checkpoint.src_vocab is None or checkpoint.tgt_vocab is None:
        raise CheckpointError("This checkpoint holds no vocabularies: it cannot read text.")
    return read, write


def _check_corpus(checkpoint: Checkpoint, name: str) -> None:
    """Refuse another language pair: nothing else would notice that its text means nothing here."""
    trained_on = checkpoint.extra.get("corpus", name)
    if trained_on != name:
        raise CheckpointError(f"This checkpoint was trained on {trained_on}, not on {name}.")


def bleu(translator: Translator, sources: Sequence[str], references: Sequence[str], **search):
    """BLEU of the translations of ``sources`` and the translations themselves.

    Lower-cased, tokenised by sacreBLEU ("13a") from plain text on both sides; ``references`` are
    the published lines, untouched.

    Returns:
        ``(BleuScore, list[Translation])``.
    """
    translations = translator(sources, **search)
    score = corpus_bleu([t.text for t in translations], references, lowercase=True)
    return score, translations


def raw_lines(languages: tuple[str, str], split: str, data_dir=None) -> tuple[list[str], list[str]]:
    """Sources and references of a Multi30k split as published, not tokenised."""
    corpus = multi30k(languages, data_dir=data_dir, tokenizer=lambda line: [line.strip()])
    pairs = corpus.split(split)
    return [pair.source[0] for pair in pairs], [pair.target[0] for pair in pairs]


# ---------------------------------------------------------------------------------------------
# The command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if it went well, 2 for a mistake that the message explains, 130 after Ctrl-C, 141 if the
        reader of its output went away.
    """
    options = _parser().parse_args(arguments)
    options.languages = tuple(options.languages)
    options.checkpoint = options.checkpoint or default_checkpoint(options.languages)
    options.saved = False  # becomes True when this run has written a checkpoint
    try:
        torch.set_num_threads(options.threads)
        options.run(options)
        sys.stdout.flush()  # here, where a closed pipe can be handled
    except BrokenPipeError:  # "translate | head": what is left has no reader, and no complaint
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 141
    except (OSError, RuntimeError, ValueError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if distributed.rank() == 0:
            print("\nInterrupted.", _what_is_saved(options), file=sys.stderr)
        return 130
    return 0


def _what_is_saved(options: argparse.Namespace) -> str:
    path = options.checkpoint
    if options.command != "train" or not path.exists():
        return "" if options.command != "train" else "No epoch was finished: nothing is saved."
    if options.saved or options.resume:
        return f"{path} holds the last whole checkpoint: go on with --resume."
    return f"No epoch was finished: {path} is the old checkpoint."


def _at_least(smallest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < smallest:
            raise argparse.ArgumentTypeError(f"must be ≥ {smallest}, but it is {value}")
        return value

    return number


def _parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = argparse.ArgumentParser(
        prog="python -m seq2seq_lib.translate",
        description="Train a translation model on Multi30k, translate with it, evaluate it.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="the model's file (default: in your cache)"
    )
    common.add_argument(
        "--languages",
        nargs=2,
        default=("de", "en"),
        metavar=("SOURCE", "TARGET"),
        help="of de, en, fr, cs (default: de en)",
    )
    common.add_argument("--device", help="cpu, cuda, mps, …; else SEQ2SEQ_DEVICE or what is there")
    common.add_argument("--threads", type=_at_least(1), default=1, help="CPU threads (default: 1)")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data-dir", metavar="DIR", help="folder that holds multi30k/")
    search = argparse.ArgumentParser(add_help=False)
    search.add_argument("--beams", type=_at_least(1), default=5, help="beam width (default: 5)")
    search.add_argument(
        "--length-penalty", type=float, default=1.0, help="above 0 favours longer (default: 1)"
    )

    command = commands.add_parser("train", parents=[common, data], help="train a model")
    command.add_argument(
        "--epochs", type=_at_least(1), default=recipe.epochs, help="default: %(default)s"
    )
    command.add_argument(
        "--batch-size",
        type=_at_least(1),
        default=recipe.batch_size,
        help="sentences, of all processes together; default: %(default)s",
    )
    command.add_argument(
        "--accumulate",
        type=_at_least(1),
        default=recipe.accumulate,
        help="batches a step, where memory holds no larger one; default: %(default)s",
    )
    for name, what in (("hidden_size", "units"), ("num_pieces", "subwords of each language")):
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=_at_least(1),
            default=getattr(recipe, name),
            help=f"{what}; default: %(default)s",
        )
    command.add_argument(
        "--seed", type=_at_least(0), default=recipe.seed, help="default: %(default)s"
    )
    command.add_argument(
        "--limit", type=_at_least(1), metavar="N", help="use the first N training pairs"
    )
    old = command.add_mutually_exclusive_group()
    old.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, with its sizes"
    )
    old.add_argument("--overwrite", action="store_true", help="replace an old checkpoint")
    command.set_defaults(run=_train)

    command = commands.add_parser(
        "translate", parents=[common, search], help="translate arguments or standard input"
    )
    command.add_argument("text", nargs="*", help="sentences; standard input if there are none")
    command.set_defaults(run=_translate)

    command = commands.add_parser(
        "evaluate", parents=[common, data, search], help="BLEU on a split of Multi30k"
    )
    command.add_argument(
        "--split", choices=("train", "valid", "test"), default="test", help="default: %(default)s"
    )
    command.add_argument(
        "--limit", type=_at_least(1), metavar="N", help="use the first N sentences"
    )
    command.add_argument("--show", type=_at_least(0), default=5, help="print so many translations")
    command.set_defaults(run=_evaluate)
    return parser


def _train(options: argparse.Namespace) -> None:
    path = options.checkpoint
    if path.exists() and not (options.resume or options.overwrite):
        raise ValueError(f"{path} exists: give --resume to go on with it, or --overwrite.")
    if options.resume and not path.exists():
        raise ValueError(f"There is no checkpoint {path} to go on with: leave out --resume.")
    _check_writable(path)
    with distributed.joined(get_device(options.device)) as device:
        _train_on(device, options)


def _train_on(device: torch.device, options: argparse.Namespace) -> None:
    path = options.checkpoint
    corpus = multi30k(options.languages, data_dir=options.data_dir)
    if options.limit is not None:
        corpus = Corpus(corpus.name, corpus.train[: options.limit], corpus.valid, corpus.test)
    recipe = Recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        accumulate=options.accumulate,
        hidden_size=options.hidden_size,
        num_pieces=options.num_pieces,
        seed=options.seed,
    )

    def report(model: nn.Module, record: EpochRecord) -> None:
        options.saved = True
        print(
            f"epoch {record.epoch}: training loss {record.train_loss:.3f}, validation loss "
            f"{record.valid_loss:.3f} nats a token, {record.seconds:.0f} s",
            flush=True,
        )

    _, history = train(
        corpus,
        recipe,
        checkpoint_path=path,
        resume=options.resume,
        device=device,
        after_epoch=report,
    )
    if distributed.rank() != 0:
        return
    if not options.saved:
        done = len(history.records)
        print(f"{path} is finished: {done} of {options.epochs} epochs. Give more to go on.")
        return
    minutes = sum(record.seconds for record in history.records) / 60
    print(f"{path} written after {minutes:.1f} minutes of training on {device}.")


def _translate(options: argparse.Namespace) -> None:
    translator = _make_translator(_trained(options), get_device(options.device))
    for translation in translator(
        options.text or _standard_input(),
        num_beams=options.beams,
        length_penalty=options.length_penalty,
    ):
        print(translation.text)


def _evaluate(options: argparse.Namespace) -> None:
    checkpoint = _trained(options)
    _check_corpus(checkpoint, f"multi30k-{'-'.join(options.languages)}")
    translator = _make_translator(checkpoint, get_device(options.device))
    sources, references = raw_lines(options.languages, options.split, options.data_dir)
    sources, references = sources[: options.limit], references[: options.limit]
    score, translations = bleu(
        translator,
        sources,
        references,
        num_beams=options.beams,
        length_penalty=options.length_penalty,
    )
    for source, translation, reference in list(zip(sources, translations, references, strict=True))[
        : options.show
    ]:
        print(f"source      {source}\ntranslation {translation.text}\nreference   {reference}\n")
    print(f"BLEU {score.score:.2f}  {score.signature}")


def _trained(options: argparse.Namespace) -> Checkpoint:
    if not options.checkpoint.exists():
        raise CheckpointError(
            f"There is no checkpoint {options.checkpoint}: train one first (python -m "
            f"seq2seq_lib.translate train), or name one with --checkpoint."
        )
    return load_checkpoint(options.checkpoint)


def _standard_input() -> list[str]:
    """Its lines, read as UTF-8 on every system. Only a line feed ends a line: one in, one out."""
    if sys.stdin.isatty():
        print("Type sentences, one a line, and end with Ctrl-D (Windows: Ctrl-Z).", file=sys.stderr)
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"Standard input is not UTF-8 (line {line}): convert it first, for example with "
            f"iconv -f latin1 -t utf-8."
        ) from error
    return text.removesuffix("\n").split("\n") if text else []


def _check_writable(path: Path) -> None:
    """Before minutes of training, not after them."""
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: give the path of a file.")
    try:
        if path.parent == cache_folder():
            path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise CheckpointError(
            f"Nothing can be written into {path.parent}: {error.strerror}. Choose another "
            f"--checkpoint."
        ) from error


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # like its input, also in a pipe on Windows
    sys.exit(main())
