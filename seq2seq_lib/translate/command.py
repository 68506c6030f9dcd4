"""The command: ``main``, and what ``train``, ``translate`` and ``evaluate`` do."""

import argparse
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from seq2seq_lib._command import exit_code
from seq2seq_lib.corpora import Corpus
from seq2seq_lib.corpora.download import cache_folder
from seq2seq_lib.runtime import get_device
from seq2seq_lib.training import (
    Checkpoint,
    CheckpointError,
    EpochRecord,
    Processes,
    check_folder,
    joined,
    load_checkpoint,
)
from seq2seq_lib.translate.options import make_parser
from seq2seq_lib.translate.recipe import (
    Recipe,
    corpus_of,
    default_checkpoint,
    make_translator,
    train,
)
from seq2seq_lib.translate.texts import languages_of, scored_lines, training_corpus
from seq2seq_lib.translate.translator import Translation, bleu

MOST_TOLD = 5  # lines that cannot be read, one by one


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        see ``exit_code``.
    """
    options = make_parser().parse_args(arguments)
    options.saved = False  # becomes True when this run has written a checkpoint

    def work() -> None:
        _settle(options)
        torch.set_num_threads(options.threads)
        {"train": _train, "translate": _translate, "evaluate": _evaluate}[options.command](options)

    def interrupted() -> str:
        return f"Interrupted. {_what_is_saved(options)}" if Processes().speaks else ""

    return exit_code(work, interrupted)


def _settle(options: argparse.Namespace) -> None:
    """Fill in what was not said, and refuse words that contradict each other."""
    options.stated = None if options.languages is None else tuple(options.languages)
    options.languages = options.stated or ("de", "en")
    if options.command == "train":
        own = options.train is not None
        if own and options.stated:
            raise ValueError("--languages is for Multi30k: leave it out beside --train.")
        _refuse_without("train", options, "valid", "test", "check", "allow_overlap", "valid_share")
        if options.valid and options.valid_share:
            raise ValueError("--valid-share is for text without --valid: leave one of them out.")
        name = "own" if own else options.corpus
        if options.checkpoint is None and name != "multi30k":
            options.checkpoint = cache_folder() / f"translate-{name}.pt"
    if options.command != "translate":
        files = "train" if options.command == "train" else "test"
        _refuse_without(files, options, "columns", "encoding")
        given = [getattr(options, name, None) or () for name in ("train", "valid", "test")]
        if options.columns and 1 not in map(len, given):
            raise ValueError("--columns is for one file with columns, but all texts have two.")
    if options.command == "evaluate":
        if options.test and options.split:
            raise ValueError("--split is of the model's own corpus: leave it out beside --test.")
        options.split = options.split or "test"
    if options.checkpoint is None:
        options.checkpoint = default_checkpoint(options.languages)


def _refuse_without(files: str, options: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(options, name) and not getattr(options, files):
            option = "--" + name.replace("_", "-")
            raise ValueError(f"{option} is for text of your own: give --{files}, too.")


def _what_is_saved(options: argparse.Namespace) -> str:
    path = options.checkpoint
    if options.command != "train" or not path.exists():
        return "" if options.command != "train" else "No epoch was finished: nothing is saved."
    if options.saved or options.resume:
        return f"{path} holds the last whole checkpoint: go on with --resume."
    return f"No epoch was finished: {path} is the old checkpoint."


def _train(options: argparse.Namespace) -> None:
    path = options.checkpoint
    if options.check:
        _say_what_is_there(options)
        return
    if path.parent == cache_folder():
        _make_cache(path.parent)
    check_folder(path)  # before minutes of training, not after them
    if path.exists() and not (options.resume or options.overwrite):
        raise ValueError(f"{path} exists: give --resume to go on with it, or --overwrite.")
    if options.resume and not path.exists():
        raise ValueError(f"There is no checkpoint {path} to go on with: leave out --resume.")
    with joined(get_device(options.device)) as device:
        _train_on(device, options)


def _make_cache(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"The cache folder {folder} cannot be made ({error.strerror}): name the file to write "
            f"with --checkpoint."
        ) from error


def _say_what_is_there(options: argparse.Namespace) -> None:
    corpus, notes = training_corpus(options)
    print(*notes, sep="\n")
    for name in ("train", "valid"):
        pairs = corpus.split(name)
        longest = max(len(line.split()) for pair in pairs for (line,) in (pair.source, pair.target))
        print(f"{name}: {len(pairs):,} pairs, the longest line has {longest:,} words.")


def _train_on(device: torch.device, options: argparse.Namespace) -> None:
    path = options.checkpoint
    corpus, notes = training_corpus(options)
    for note in notes:
        _note(note)
    if options.limit is not None:
        corpus = Corpus(corpus.name, corpus.train[: options.limit], corpus.valid, corpus.test)
    recipe = Recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        accumulate=options.accumulate,
        hidden_size=options.hidden_size,
        num_pieces=options.num_pieces,
        max_pieces=options.max_pieces,
        seed=options.seed,
    )

    def report(model: nn.Module, record: EpochRecord) -> None:
        options.saved = True
        print(
            f"epoch {record.epoch}: training loss {record.train_loss:.3f}, validation loss "
            f"{record.valid_loss:.3f} nats a token, {record.seconds:.0f} s",
            flush=True,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)  # that the learning rate jumps, say
        warnings.showwarning = lambda message, *_: _note(str(message))
        _, history = train(
            corpus,
            recipe,
            checkpoint_path=path,
            resume=options.resume,
            device=device,
            after_epoch=report,
            say=_note,
        )
    if not Processes().speaks:
        return
    if not options.saved:
        done = len(history.records)
        print(f"{path} is finished: {done} of {options.epochs} epochs. Give more to go on.")
        return
    minutes = sum(record.seconds for record in history.records) / 60
    print(f"{path} written after {minutes:.1f} minutes of training on {device}.")


def _note(text: str) -> None:
    """A remark, beside the output; once, however many processes run."""
    if Processes().speaks:
        print(f"note: {text}", file=sys.stderr)


def _translate(options: argparse.Namespace) -> None:
    translator = make_translator(_trained(options), get_device(options.device))
    done, no_text = 0, set()  # how many lines; the numbers of those that cannot be read
    for lines in _growing_batches(options.text or _standard_input(no_text)):
        for number, translation in enumerate(translator(lines, **_search(options)), done + 1):
            if number in no_text:
                print()
                continue
            print(translation.text)
            _note_if_cut(number, translation, options)
        done += len(lines)
        sys.stdout.flush()
    if no_text:
        raise ValueError(
            f"{len(no_text):,} of {done:,} lines are no text, so empty lines stand in their place: "
            f"convert them first, for example with iconv -f latin1 -t utf-8."
        )


def _search(options: argparse.Namespace) -> dict:
    return {
        "num_beams": options.beams,
        "length_penalty": options.length_penalty,
        "max_new_tokens": options.max_new_tokens,
    }


def _note_if_cut(number: int, translation: Translation, options: argparse.Namespace) -> None:
    if not translation.finished:
        _note(
            f"the output of line {number} did not end within {options.max_new_tokens} pieces and "
            f"is cut; --max-new-tokens allows more."
        )


def _growing_batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines in batches of 1, 2, 4, … up to 1,024: the first output comes at once."""
    lines, size = iter(lines), 1
    while batch := list(islice(lines, size)):
        yield batch
        size = min(2 * size, 1024)


def _evaluate(options: argparse.Namespace) -> None:
    checkpoint = _trained(options)
    translator = make_translator(checkpoint, get_device(options.device))
    sources, references = scored_lines(corpus_of(checkpoint), options)
    sources, references = sources[: options.limit], references[: options.limit]
    score, translations = bleu(translator, sources, references, **_search(options))
    for source, translation, reference in list(zip(sources, translations, references, strict=True))[
        : options.show
    ]:
        first = reference if isinstance(reference, str) else " | ".join(reference)
        print(f"source      {source}\ntranslation {translation.text}\nreference   {first}\n")
    cut = sum(not translation.finished for translation in translations)
    if cut:
        _note(f"{cut} of {len(translations)} outputs are cut at {options.max_new_tokens} pieces.")
    print(f"BLEU {score.score:.2f}  {score.signature}")


def _trained(options: argparse.Namespace) -> Checkpoint:
    """The checkpoint; refused if it translates other languages than the ones that were said."""
    if not options.checkpoint.exists():
        raise CheckpointError(
            f"There is no checkpoint {options.checkpoint}: train one first (python -m "
            f"seq2seq_lib.translate train), or name one with --checkpoint."
        )
    checkpoint = load_checkpoint(options.checkpoint)
    name = corpus_of(checkpoint)
    if options.stated and options.stated != languages_of(name):
        raise CheckpointError(
            f"This checkpoint was trained on {name}, not on {' to '.join(options.stated)}: leave "
            f"out --languages, or name another --checkpoint."
        )
    return checkpoint


def _standard_input(no_text: set[int]) -> Iterator[str]:
    """Its lines as they come, read as UTF-8 on every system. Only a line feed ends a line.

    A line that cannot be read comes as an empty one; its number is told of, and put into
    ``no_text``, and the lines after it are not lost.
    """
    if sys.stdin.isatty():
        print("Type sentences, one a line, and end with Ctrl-D (Windows: Ctrl-Z).", file=sys.stderr)
    for number, line in enumerate(sys.stdin.buffer, 1):
        if number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ValueError(
                "Standard input is UTF-16: convert it first, for example with iconv -f utf-16 -t "
                "utf-8."
            )
        if number == 1 and b"\0" in line:
            raise ValueError(
                "Standard input holds the character NUL (line 1): it is no text, or it is UTF-16 "
                "without its mark: iconv -f utf-16le -t utf-8."
            )
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if "\0" in text:
                raise ValueError("it holds the character NUL")
        except ValueError as error:  # UnicodeDecodeError is one
            no_text.add(number)
            if len(no_text) <= MOST_TOLD:
                print(f"error: line {number} is not UTF-8: {error}", file=sys.stderr)
            text = ""
        yield text.removesuffix("\n")
