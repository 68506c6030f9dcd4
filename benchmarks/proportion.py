"""Whether time and memory grow as the tokens do: long lines, long sources, many words, many lines.

A number is (cost of the large one / cost of the small one) / (tokens of the large / of the small):
1 is in proportion, less is better than that.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.report import Row
from benchmarks.search import SMALL, make_model
from benchmarks.timing import peak_bytes, side_by_side
from seq2seq_lib.corpora import Corpus, Pair
from seq2seq_lib.decoding import beam_search
from seq2seq_lib.translate import Recipe, Translator, train
from seq2seq_lib.vocab import Vocab

MOST = 1.5  # small ones pay for what does not grow, so that the ratio may be far below 1
ROOT = Path(__file__).parents[1]


def rows(device: torch.device, quick: bool) -> list[Row]:
    turns = 1 if quick else 3
    return [
        *_long_line(device, 100 if quick else 2000, turns),
        *_long_source(device, 40 if quick else 500, turns),
        *_long_output(device, 4 if quick else 40, turns),
        *_large_vocabulary(device, 100 if quick else 10_000, turns),
        *_standard_input(100 if quick else 1000, 300 if quick else 100_000),
    ]


def _growth(
    what: str,
    small: Callable[[], object],
    large: Callable[[], object],
    tokens: float,
    device: torch.device,
    turns: int,
) -> list[Row]:
    """``tokens``: how many times as many the large one has."""
    seconds = side_by_side({"small": small, "large": large}, device, turns=turns, at_least=0)
    ratio = seconds.ratio("large", "small") / tokens
    memory = peak_bytes(large, device) / peak_bytes(small, device) / tokens
    return [
        Row.at_most(f"{what}: time a token", ratio, MOST),
        Row.at_most(f"{what}: peak memory a token", memory, MOST),
    ]


def _long_line(device: torch.device, words: int, turns: int) -> list[Row]:
    """One line of many words among 63 short ones, against all of them by themselves."""
    model = make_model(200, SMALL, device)
    vocab = Vocab(f"w{i}" for i in range(196))
    translator = Translator(model, vocab, vocab)
    short, long = ["w1 w2 w3 w4"] * 63, " ".join(["w5"] * words)

    def translate(lines: list[str]) -> None:
        translator(lines, num_beams=5, max_new_tokens=20)

    candidates = {
        "together": lambda: translate([*short, long]),
        "apart": lambda: (translate(short), translate([long])),
    }
    seconds = side_by_side(candidates, device, turns=turns, at_least=0)
    together, apart = (peak_bytes(candidate, device) for candidate in candidates.values())
    what = f"a line of {words:,} words among 63 short ones / the same apart"
    return [
        Row.at_most(f"{what}: time", seconds.ratio("together", "apart"), MOST),
        Row.at_most(f"{what}: peak memory", together / apart, MOST),
    ]


def _long_source(device: torch.device, tokens: int, turns: int) -> list[Row]:
    model = make_model(200, SMALL, device)

    def search(length: int) -> Callable[[], object]:
        src = torch.randint(4, 200, (1, length), generator=torch.Generator().manual_seed(0))
        lengths = torch.tensor([length], device=device)
        return lambda: beam_search(
            model, src.to(device), lengths, num_beams=5, min_new_tokens=20, max_new_tokens=20
        )

    what = f"beam search, a source of {10 * tokens:,} tokens / of {tokens:,}"
    return _growth(what, search(tokens), search(10 * tokens), 10, device, turns)


def _long_output(device: torch.device, tokens: int, turns: int) -> list[Row]:
    """Steps that carry what came before pay for it at each step."""
    model = make_model(200, SMALL, device)
    src = torch.randint(4, 200, (4, 25 * tokens), generator=torch.Generator().manual_seed(0))
    lengths = torch.full((4,), 25 * tokens, device=device)

    def search(length: int) -> Callable[[], object]:
        exactly = {"min_new_tokens": length, "max_new_tokens": length}
        return lambda: beam_search(model, src.to(device), lengths, num_beams=5, **exactly)

    what = f"beam search, a source of {25 * tokens:,}, {4 * tokens} tokens of output / {tokens}"
    return _growth(what, search(tokens), search(4 * tokens), 4, device, turns)


def _large_vocabulary(device: torch.device, words: int, turns: int) -> list[Row]:
    def search(size: int) -> Callable[[], object]:
        model = make_model(size, SMALL, device)
        src = torch.randint(4, size, (16, 20), generator=torch.Generator().manual_seed(0))
        lengths = torch.full((16,), 20, device=device)
        exactly = {"min_new_tokens": 10, "max_new_tokens": 10}
        return lambda: beam_search(model, src.to(device), lengths, num_beams=5, **exactly)

    def learn(size: int) -> Callable[[], object]:
        sentences = [[f"w{i}", f"w{i // 2}"] for i in range(size)]

        def build_save_load() -> Vocab:
            with tempfile.TemporaryDirectory() as folder:
                Vocab.build(sentences).save(Path(folder, "v.json"))
                return Vocab.load(Path(folder, "v.json"))

        return build_save_load

    times = side_by_side(
        {"small": learn(words), "large": learn(10 * words)}, device, turns=turns, at_least=0
    )
    name = f"{10 * words:,} words / {words:,}"
    return [
        *_growth(f"beam search, {name}", search(words), search(10 * words), 10, device, turns),
        Row.at_most(
            f"a vocabulary built, written and read, {name}: time a word",
            times.ratio("large", "small") / 10,
            MOST,
        ),
    ]


# ---------------------------------------------------------------- standard input


def _standard_input(few: int, many: int) -> list[Row]:
    """The command in a process of its own: when it begins to answer, and what it holds."""
    if not hasattr(os, "wait4"):
        return [Row("standard input", "skipped: no os.wait4")]
    pairs = tuple(Pair((f"a b{i % 5}",), (f"c d{i % 5}",)) for i in range(20))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.pt")
        sizes = {"num_pieces": 12, "embed_size": 8, "hidden_size": 8, "epochs": 1}
        corpus = Corpus("own", pairs, pairs, ())
        train(corpus, Recipe(**sizes), checkpoint_path=path, progress=False)
        first, small = _command(path, few)
        _, large = _command(path, many)
    return [
        Row.equal(
            f"standard input, {many:,} lines: output of the first before the second", first, "yes"
        ),
        Row.at_most(f"standard input, {many:,} lines / {few:,}: peak memory", large / small, 1.1),
    ]


def _command(checkpoint: Path, lines: int) -> tuple[bool, int]:
    """Whether the first output came before the second line was sent; and the most memory."""
    options = ["--checkpoint", str(checkpoint), "--device", "cpu"]
    options += ["--beams", "1", "--max-new-tokens", "4"]
    command = [sys.executable, "-m", "seq2seq_lib.translate", "translate", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        process.stdin.write(b"a b1\n")
        process.stdin.flush()
        os.set_blocking(process.stdout.fileno(), False)
        answer, limit = b"", time.monotonic() + 120
        while not answer.endswith(b"\n") and time.monotonic() < limit:
            answer += process.stdout.read() or b""
            time.sleep(0.01)
        os.set_blocking(process.stdout.fileno(), True)
        came = _exchange(process, b"a b2\n" * (lines - 1))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or came != lines - 1:
        raise RuntimeError(f"{came + 1} of {lines} lines came back, exit {process.returncode}.")
    return answer.count(b"\n") == 1, used.ru_maxrss


def _exchange(process: subprocess.Popen, text: bytes) -> int:
    """Send a text and count the lines that come back."""

    def send() -> None:
        process.stdin.write(text)
        process.stdin.close()

    sender = threading.Thread(target=send)
    sender.start()
    came = sum(1 for _ in process.stdout)
    sender.join()
    return came
