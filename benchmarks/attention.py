"""What attention buys, what its order costs, and what its weights say. Measured, for chapter 8.

    python -m benchmarks.attention            # seeds 0, 1 and 2; about five minutes on one core
    python -m benchmarks.attention --write    # and keep it: results/attention.json

- ``bottleneck``: letters to be written backwards, by a model without attention and one with
  (general); exact match on 300 unseen strings, by their length.
- ``order``: dates; attention after the recurrent step (general, additive) and before it
  (additive); exact match on 300 unseen dates, and seconds of training.
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

from seq2seq_lib.attention import GeneralAttention
from seq2seq_lib.batching import Batch, collate, encode_pairs, make_loader
from seq2seq_lib.corpora import Corpus, Pair, dates, phrases, reverse
from seq2seq_lib.decoder import AttentionDecoder
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, fit
from seq2seq_lib.vocab import BOS_ID, EOS_ID, Vocab

RESULT = Path(__file__).parent / "results" / "attention.json"
SEEDS = (0, 1, 2)
BANDS = ((2, 3), (4, 5), (6, 7), (8, 9), (10, 12))  # letters of a string
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
            dropout=0.0,
            **options,
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
        settings = TrainConfig(epochs=epochs, learning_rate=5e-3)
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


def bottleneck(seed: int, num_train: int = 6000, num_test: int = 300, epochs: int = 6) -> dict:
    """Exact match by length, without attention and with."""
    corpus = reverse(num_train, 0, num_test, min_length=2, max_length=12, seed=0)
    row: dict[str, Any] = {"seed": seed}
    for name in ("none", "general"):
        trained = Trained(corpus, seed, epochs, attention=name)
        right = trained.right(corpus.test)
        found = zip(corpus.test, right, strict=True)
        lengths = [(len(pair.source), r) for pair, r in found]
        row[name] = [share([r for n, r in lengths if low <= n <= high]) for low, high in BANDS]
        row[f"{name}_all"] = share(right)
        row[f"{name}_seconds"] = round(trained.seconds, 1)
    return row


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    kept: dict[str, Any] = {"date": str(datetime.date.today()), "torch": torch.__version__}
    for part in (bottleneck, wording, order, unmasked):
        rows = [part(seed) for seed in SEEDS]
        if part is order:
            rows = [row for several in rows for row in several]
        kept[part.__name__] = rows
        for row in rows:
            print(part.__name__, *(f"{name} {value}" for name, value in row.items()), flush=True)
    if arguments.write:
        RESULT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
