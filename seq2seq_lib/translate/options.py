"""What can be said to the command, and what each word means."""

import argparse
from pathlib import Path

from seq2seq_lib._arguments import at_least
from seq2seq_lib.corpora.own_corpus import VALID_SHARE
from seq2seq_lib.runtime import LARGEST_SEED
from seq2seq_lib.translate.recipe import Recipe


def share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie above 0 and below 1, but it is {text}")
    return value


def make_parser() -> argparse.ArgumentParser:
    """The parser of ``train``, ``translate`` and ``evaluate``."""
    parser = argparse.ArgumentParser(
        prog="python -m seq2seq_lib.translate",
        description="Train a translation model on Multi30k, on Tatoeba or on text of your own, "
        "translate with it, evaluate it.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    common, data, search = _common(), _data(), _search()
    _add_train(commands.add_parser("train", parents=[common, data], help="train a model"))
    command = commands.add_parser(
        "translate", parents=[common, search], help="translate arguments or standard input"
    )
    command.add_argument("text", nargs="*", help="sentences; standard input if there are none")
    command = commands.add_parser(
        "evaluate", parents=[common, data, search], help="BLEU on a split, or on your own text"
    )
    command.add_argument(
        "--split",
        choices=("train", "valid", "test"),
        help="of the corpus that the model was trained on (default: test)",
    )
    command.add_argument("--limit", type=at_least(1), metavar="N", help="use the first N sentences")
    command.add_argument("--show", type=at_least(0), default=5, help="print so many translations")
    return parser


def _common() -> argparse.ArgumentParser:
    group = argparse.ArgumentParser(add_help=False)
    group.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="the model's file (default: in your cache)"
    )
    group.add_argument(
        "--languages",
        nargs=2,
        metavar=("SOURCE", "TARGET"),
        help="of Multi30k: de, en, fr, cs (default: those of the checkpoint, else de en)",
    )
    group.add_argument("--device", help="cpu, cuda, mps, …; else SEQ2SEQ_DEVICE or what is there")
    group.add_argument(
        "--threads", type=at_least(1, most=1024), default=1, help="CPU threads (default: 1)"
    )
    return group


def _data() -> argparse.ArgumentParser:
    group = argparse.ArgumentParser(add_help=False)
    group.add_argument("--data-dir", metavar="DIR", help="folder that holds multi30k/, tatoeba/")
    group.add_argument(
        "--test", nargs="+", type=Path, metavar="FILE", help="your own text to score with"
    )
    group.add_argument(
        "--columns",
        nargs=2,
        type=at_least(1),
        metavar=("SOURCE", "TARGET"),
        help="of one file, set apart by tabs (default: 1 2)",
    )
    group.add_argument("--encoding", help="of your files (default: utf-8)")
    return group


def _search() -> argparse.ArgumentParser:
    group = argparse.ArgumentParser(add_help=False)
    group.add_argument("--beams", type=at_least(1), default=5, help="beam width (default: 5)")
    group.add_argument(
        "--length-penalty", type=float, default=1.0, help="above 0 favours longer (default: 1)"
    )
    group.add_argument(
        "--max-new-tokens",
        type=at_least(1),
        default=80,
        help="an output of so many pieces is cut, and a note says so; default: %(default)s",
    )
    return group


def _add_train(command: argparse.ArgumentParser) -> None:
    recipe = Recipe()
    text = command.add_mutually_exclusive_group()
    text.add_argument(
        "--corpus", choices=("multi30k", "tatoeba"), default="multi30k", help="default: %(default)s"
    )
    text.add_argument(
        "--train",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="your own text: two files line by line, or one with columns",
    )
    command.add_argument(
        "--valid", nargs="+", type=Path, metavar="FILE", help="your own validation text"
    )
    command.add_argument(
        "--valid-share",
        type=share,
        help=f"of the sources, where there is no --valid (default: {VALID_SHARE})",
    )
    command.add_argument(
        "--allow-overlap",
        action="store_true",
        help="score on sources that training has seen, too",
    )
    command.add_argument(
        "--check", action="store_true", help="say what is in the files, and train nothing"
    )
    for name, what in (
        ("epochs", "passes over the training text"),
        ("batch_size", "sentences, of all processes together"),
        ("accumulate", "batches a step, where memory holds no larger one"),
        ("hidden_size", "units"),
        ("num_pieces", "subwords of each language"),
        ("max_pieces", "longer training pairs are left out"),
    ):
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=at_least(1),
            default=getattr(recipe, name),
            help=f"{what}; default: %(default)s",
        )
    command.add_argument(
        "--seed",
        type=at_least(0, most=LARGEST_SEED),
        default=recipe.seed,
        help="default: %(default)s",
    )
    command.add_argument(
        "--limit", type=at_least(1), metavar="N", help="use the first N training pairs"
    )
    old = command.add_mutually_exclusive_group()
    old.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, with its sizes"
    )
    old.add_argument("--overwrite", action="store_true", help="replace an old checkpoint")
