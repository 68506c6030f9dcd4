"""What attention buys, what its order costs, and what its weights say. Measured, for chapter 8.

    python -m benchmarks.attention            # all of it: about ten minutes on one core
    python -m benchmarks.attention sink       # one part of it
    python -m benchmarks.attention --write    # and keep it: results/attention.json

Seeds 0, 1 and 2; the first two parts have five.

- ``bottleneck``: the task ``reverse`` of chapter 3, digits to be written backwards, as
  ``benchmarks/bottleneck.py`` trains it: its GRU with the state as context of every step, and the
  same encoder with general attention after the step instead; exact match by length.
- ``board``: the same pair on that script's task ``dates``.
- ``order``: dates; attention after the recurrent step (general, additive) and before it
  (additive); exact match on 300 unseen dates, and seconds of training.
- ``sink``: dates, trained by chapter 0's recipe with dot attention, and with additive; where the
  hyphens look, and what changes if nobody may look at the end symbol.
- ``unmasked``: dates, trained with attention that also sees the pads; exact match alone, and in
  one batch with 100 more PAD columns.
- ``wording``: English phrases to French; how often the largest weight stands on a word that the
  corpus aligns, and what "the small red cat" becomes if the memory of "the" comes from "house".
"""

import argparse
import datetime
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import bottleneck as plain
from benchmarks.report import write_whole
from seq2seq_lib.attention import GeneralAttention
from seq2seq_lib.batching import Batch, collate, encode_pairs, make_loader
from seq2seq_lib.corpora import Corpus, Pair, dates, phrases
from seq2seq_lib.decoder import AttentionDecoder, DecoderState
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, fit
from seq2seq_lib.vocab import BOS_ID, EOS_ID, Vocab

RESULT = Path(__file__).parent / "results" / "attention.json"
SEEDS = (0, 1, 2)
BOARD_SEEDS = range(5)
LENGTHS = range(3, 12)  # digits of a string
TRAINING = {  # of the scoreboard: units, steps, learning rate
    "reverse": (64, 600, 8e-3),
    "dates": (96, 800, 6e-3),
}
OWN, DONOR = ("the", "small", "red", "cat"), ("the", "small", "red", "house")


class SeesPads(GeneralAttention):
    """The naive attention: it takes every column for a real one."""

    def forward(
        self, query: Tensor, keys: Tensor, memory: Tensor, src_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        return super().forward(query, keys, memory, torch.ones_like(src_mask))


class Trained:
    """A model, its vocabularies, and the seconds of its training."""

    def __init__(
        self,
        corpus: Corpus,
        seed: int,
        epochs: int,
        *,
        sizes: tuple[int, int] = (32, 64),
        sees_pads: bool = False,
        cosine_decay: bool = False,
        **options: Any,
    ) -> None:
        self.src_vocab = Vocab.build(pair.source for pair in corpus.train)
        self.tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
        embed, hidden = sizes
        config = Seq2SeqConfig(
            len(self.src_vocab),
            len(self.tgt_vocab),
            embed_size=embed,
            hidden_size=hidden,
            **{"dropout": 0.0} | options,
        )
        seed_everything(seed)
        decoder = None
        if sees_pads:
            attention = SeesPads(hidden, hidden)
            decoder = AttentionDecoder(config.tgt_vocab_size, embed, hidden, attention)
        self.model = Seq2Seq(config, decoder=decoder)
        loader = make_loader(
            encode_pairs(corpus.train, self.src_vocab, self.tgt_vocab), batch_size=64, seed=seed
        )
        began = time.process_time()
        settings = TrainConfig(epochs=epochs, learning_rate=5e-3, cosine_decay=cosine_decay)
        fit(self.model, loader, None, settings, progress=False, device=get_device())
        self.seconds = time.process_time() - began
        self.model.eval()

    def batch(self, pairs: Sequence[Pair]) -> Batch:
        """The pairs in one batch."""
        return collate(encode_pairs(pairs, self.src_vocab, self.tgt_vocab)).to(get_device())

    @torch.no_grad()
    def right(self, pairs: Sequence[Pair], more_pads: int = 0, together: bool = True) -> list[bool]:
        """For each pair whether the greedy answer is its target, EOS included."""
        batches = [self.batch(pairs)] if together else [self.batch([pair]) for pair in pairs]
        return [right for batch in batches for right in self._greedy(batch, more_pads)]

    def _greedy(self, batch: Batch, more_pads: int) -> list[bool]:
        src = torch.nn.functional.pad(batch.src, (0, more_pads))  # [B, S + more]
        state = self.model.start(src, batch.src_lengths)
        tokens, still = batch.tgt_in[:, 0], torch.ones(len(src), dtype=torch.bool)
        for t in range(batch.tgt_out.size(1)):
            scores, state = self.model.step(tokens, state)
            tokens = scores.argmax(-1)  # [B]
            still &= ((tokens == batch.tgt_out[:, t]) | (t >= batch.tgt_lengths)).cpu()
        return still.tolist()


def share(right: Sequence[bool]) -> float:
    """How many are right."""
    return round(sum(right) / len(right), 4)


def against_the_state(task: str, seed: int, steps: int | None = None) -> dict:
    """One row of the scoreboard: the decoder that gets the state, and the one that attends."""
    examples, tests, vocabs = plain.reverse_task() if task == "reverse" else plain.date_task()
    hidden, usual_steps, rate = TRAINING[task]
    row: dict[str, Any] = {"seed": seed}
    for name in ("none", "general"):
        seed_everything(seed)
        model = plain.make_model(vocabs, hidden)
        if name == "general":
            attention = GeneralAttention(hidden, hidden)
            model.decoder = AttentionDecoder(len(vocabs[1]), 32, hidden, attention)
        run = plain.train(model, examples, steps or usual_steps, rate, seed, buckets=True)
        row[name] = plain.test(model.eval(), tests) | {"seconds": run["cpu_seconds"]}
        del row[name]["nll_shuffled"]
        if task == "reverse":
            batch = collate(tests)
            answers = zip(plain.answers(model, batch), plain.gold(batch), strict=True)
            right = [(len(due), said == due) for said, due in answers]
            row[name]["by_length"] = [share([r for n, r in right if n == m]) for m in LENGTHS]
    return row


def bottleneck(seed: int, steps: int | None = None) -> dict:
    """Digits backwards: exact match by length, without attention and with."""
    return against_the_state("reverse", seed, steps)


def board(seed: int, steps: int | None = None) -> dict:
    """Dates: exact match without attention and with."""
    return against_the_state("dates", seed, steps)


ORDERS = {
    "general, after": {"attention": "general"},
    "additive, after": {"attention": "additive"},
    "additive, before": {"attention": "additive", "attend_first": True},
}


def order(seed: int, num_train: int = 4000, num_test: int = 300, epochs: int = 4) -> list[dict]:
    """Exact match and seconds of three models of dates."""
    corpus, rows = dates(num_train, 0, num_test), []
    for name, options in ORDERS.items():
        trained = Trained(corpus, seed, epochs, **options)
        rows.append(
            {
                "seed": seed,
                "model": name,
                "exact_match": share(trained.right(corpus.test)),
                "seconds": round(trained.seconds, 1),
            }
        )
    return rows


class NoEnd:
    """A model whose attention may not look at the end symbol."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model, self.step = model, model.step

    def start(self, src: Tensor, src_lengths: Tensor) -> DecoderState:
        state = self.model.start(src, src_lengths)
        return replace(state, src_mask=state.src_mask & (src != EOS_ID))


def sink(seed: int, num_train: int = 6000, num_test: int = 500, epochs: int = 4) -> list[dict]:
    """Where the two hyphens of a date look, and whether the end symbol is needed."""
    corpus, rows = dates(num_train, 0, num_test), []
    recipe = {"sizes": (32, 128), "dropout": 0.1, "cosine_decay": True}  # chapter 0's
    for kind in ("dot", "additive"):
        trained = Trained(corpus, seed, epochs, attention=kind, **recipe)
        batch = trained.batch(corpus.test)
        with torch.no_grad():
            weights = trained.model.teacher_forced(batch).attention  # [B, T, S]
        ends = batch.src == EOS_ID  # [B, S]
        hyphens = weights[:, [4, 7]]  # [B, 2, S]
        at_end = (hyphens * ends[:, None]).sum(-1).mean(0).tolist()
        largest = hyphens.argmax(-1) == ends.int().argmax(-1, keepdim=True)
        right = trained.right(corpus.test)
        trained.model = NoEnd(trained.model)
        rows.append(
            {
                "seed": seed,
                "attention": kind,
                "weight": [round(w, 3) for w in at_end],
                "largest": [round(w, 3) for w in largest.float().mean(0).tolist()],
                "right": share(right),
                "right_without_end": share(trained.right(corpus.test)),
            }
        )
    return rows


def unmasked(seed: int, num_train: int = 4000, num_test: int = 300, epochs: int = 4) -> dict:
    """Exact match of a model that was trained and is used without a mask."""
    corpus = dates(num_train, 0, num_test)
    trained = Trained(corpus, seed, epochs, sees_pads=True)
    return {
        "seed": seed,
        "alone": share(trained.right(corpus.test, together=False)),
        "more_pads": share(trained.right(corpus.test, more_pads=100)),
    }


def wording(seed: int, num_train: int = 12000, num_test: int = 300, epochs: int = 3) -> dict:
    """Where a translator of phrases looks, and what one foreign column changes."""
    corpus = phrases(num_train, 0, num_test)
    trained = Trained(corpus, seed, epochs, sizes=(48, 96), attention="general")
    batch = trained.batch(corpus.test)
    with torch.no_grad():
        weights = trained.model.teacher_forced(batch).attention  # [B, T, S]
    hits, crossing = [], []
    for b, pair in enumerate(corpus.test):
        links = set(pair.alignment)
        for s, t in links:
            if (
                len({j for j, k in links if k == t}) == 1
                and len({k for j, k in links if j == s}) == 1
            ):
                hit = int(weights[b, t].argmax()) == s
                hits.append(hit)
                if any((s - j) * (t - k) < 0 for j, k in links):
                    crossing.append(hit)
    return {
        "seed": seed,
        "exact_match": share(trained.right(corpus.test)),
        "on_gold": share(hits),
        "crossing": share(crossing),
        "num_crossing": len(crossing),
        "own": " ".join(written(trained, OWN)),
        "donor": " ".join(written(trained, DONOR)),
        "column_of_the": " ".join(written(trained, OWN, DONOR, 0)),
    }


@torch.no_grad()
def written(
    trained: Trained, own: Sequence[str], donor: Sequence[str] = (), column: int = 0
) -> list[str]:
    """The translation; with a donor, after one column of its memory has taken the place of ours."""
    encoded = [trained.src_vocab.encode(words) + [EOS_ID] for words in (own, donor) if words]
    src = torch.tensor(encoded)
    state = trained.model.start(src, torch.full((len(src),), src.size(1)))
    first = state.select(torch.tensor([0]))
    if donor:
        memory, keys = first.memory.clone(), first.keys.clone()
        memory[0, column], keys[0, column] = state.memory[1, column], state.keys[1, column]
        first = replace(first, memory=memory, keys=keys)
    token, tokens = torch.tensor([BOS_ID]), []
    for _ in range(12):
        scores, first = trained.model.step(token, first)
        token = scores.argmax(-1)
        if token.item() == EOS_ID:
            break
        tokens.append(token.item())
    return trained.tgt_vocab.decode(tokens)


PARTS = {
    bottleneck: BOARD_SEEDS,
    board: BOARD_SEEDS,
    wording: SEEDS,
    order: SEEDS,
    sink: SEEDS,
    unmasked: SEEDS,
}


def main() -> None:
    names = [part.__name__ for part in PARTS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*names, []], help="all when left out")
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    kept |= {"date": str(datetime.date.today()), "torch": torch.__version__}
    for part, seeds in PARTS.items():
        if part.__name__ not in (arguments.parts or names):
            continue
        found = [part(seed) for seed in seeds]
        rows = [row for one in found for row in (one if isinstance(one, list) else [one])]
        kept[part.__name__] = rows
        for row in rows:
            print(part.__name__, *(f"{name} {value}" for name, value in row.items()), flush=True)
    if arguments.write:
        write_whole(RESULT, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
