"""Law 5: search has an oracle.

On a tiny vocabulary every possible output can be written down. One beam must then be greedy
search, a beam as wide as the number of outputs must find the very best ones, and any beam must
return real outputs, each once, sorted, whatever else is in the batch.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.laws import probes
from seq2seq_lib.laws.hash_model import HashModel, TableModel
from seq2seq_lib.laws.oracle import BEST, GARDEN, every_output, greedy_output, plain_penalty
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import Verdict, ids, number
from seq2seq_lib.vocab import EOS_ID

LAW = "Law 5, search has an oracle"
TOLERANCE = 1e-4  # nats: summed in another order, float32 log-probabilities differ by 1e-6 each
PENALTIES = (0.0, 0.6, 1.0, -0.5)

GREEDY = (
    "the top-1 path: with one beam the best token is taken at each step, and an EOS counts only "
    "where it is the best token (not second best)"
)
EXHAUSTIVE = (
    "who was lost although nothing had to be: stopping when the best or the first hypothesis ends "
    "(a longer one may still score higher), states not reordered with their hypotheses, finished "
    "ones that go on growing, a penalty with the wrong sign"
)
BATCH = (
    "rows of one sentence that meet those of another: repeat instead of repeat_interleave, offsets "
    "of the beam index, one sentence's end ending the others, finished rows that stay and are read"
)
SORTED = "the order of the list: sort by score, best first, finished and unfinished together"
DISTINCT = (
    "the first step: all beams start from one hypothesis, so only one of them may be expanded"
)
REAL = (
    "what may be an output: it ends at its first EOS, or has max_new_tokens tokens; no PAD, no "
    "BOS, no -inf placeholders, nothing after EOS"
)
COUNT = (
    "how many: at least one, at most n_best, and n_best of them if so many exist, also if no "
    "hypothesis ends or num_beams exceeds the vocabulary"
)
WIDTH = (
    "the width: num_beams open hypotheses are kept at every step, so a finished one must make room "
    "and not narrow the beam. Or the end: it must not stop when the first one ends, nor compare "
    "open ones at their present length, since their scores may still rise"
)


def search_oracle(
    search: Callable[..., Sequence[Sequence[Any]]],
    *,
    models: Sequence[Any] | None = None,
    length_penalties: Sequence[float] = PENALTIES,
    penalty: Callable[[int, float], float] = plain_penalty,
    max_new_tokens: int = 4,
    src_vocab_size: int = 11,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Verdict:
    """Compare a beam search with writing down every output.

    Args:
        search: ``(model, src [B, S], src_lengths [B], num_beams, max_new_tokens, n_best,
            length_penalty)``, by position, to one list a sentence, best first, of at most
            ``n_best`` hypotheses: anything with ``tokens`` (ids without BOS, EOS last if it
            ended). Scores are recomputed here, so an error of a score alone is law 6's.
        models: with the decoding protocol (see ``decoding``) and at most some seven live tokens;
            weightless ones when left out. The oracle reads modules in evaluation mode.
        length_penalties: exponents to try; ``(0.0,)`` for a search without penalty.
        penalty: ``(length, exponent)`` to what a log-probability is divided by.
        max_new_tokens: of the longest outputs.
        seed, device: of models and sources.
    """
    trial = Trial(LAW)
    with probes.undisturbed(search, *(models or ()), seed=seed), torch.no_grad():
        try:
            judge = _Judge(trial, search, penalty)
            for i, model in enumerate(models or _hash_models(seed)):
                shape = (3, 5, 3)
                batch = probes.make_batch(shape, src_vocab_size, seed=seed + i, device=device)
                judge.model(model, batch.src, batch.src_lengths, max_new_tokens, length_penalties)
            if models is None:
                judge.edges(seed, device)
                judge.width(length_penalties, device)
        except Exception as error:
            trial.crashed(error, "while running it on the probes")
    return trial.verdict()


def _hash_models(seed: int) -> list[HashModel]:
    """Random ones: EOS as probable as others, likelier, and rarer; five live tokens at most."""
    return [
        HashModel(7, seed=3 * seed, eos_bias=0.0),
        HashModel(6, seed=3 * seed + 1, eos_bias=1.5),
        HashModel(6, seed=3 * seed + 2, eos_bias=-2.0),
    ]


@dataclass(frozen=True)
class _Judge:
    trial: Trial
    search: Callable
    penalty: Callable[[int, float], float]

    def run(self, model, src, src_lengths, *settings) -> list[list[tuple[int, ...]]]:
        found = self.search(model, src, src_lengths, *settings)
        if len(found) != len(src):
            raise ValueError(f"search returned {len(found)} lists for {len(src)} sentences")
        return [[tuple(probes.first_tokens(hyp)) for hyp in hyps] for hyps in found]

    def model(self, model, src: Tensor, src_lengths: Tensor, longest: int, exponents) -> None:
        """All checks on one model and one batch of sources."""
        ones = [src[b : b + 1, :n] for b, n in enumerate(src_lengths.tolist())]  # [1, n]
        with probes.evaluating(model):
            oracles = [
                {output.tokens: output for output in every_output(model, one, longest)}
                for one in ones
            ]
        full = max(map(len, oracles))
        if 0.0 in exponents:
            self.greedy(model, src, src_lengths, longest, oracles)
        for exponent in exponents:
            for num_beams, n_best in ((2, 2), (3, 2), (full, 4)):
                settings = (num_beams, longest, n_best, exponent)
                found = self.run(model, src, src_lengths, *settings)
                for b, one in enumerate(ones):
                    alone = self.run(model, one, src_lengths[b : b + 1], *settings)[0]
                    fed = (
                        f"{model}, source {ids(one[0])}, num_beams {num_beams}, max_new_tokens "
                        f"{longest}, n_best {n_best}, length_penalty {exponent}"
                    )
                    self.real(alone, oracles[b], n_best, exponent, fed)
                    self.real(found[b], oracles[b], n_best, exponent, f"{fed}, in a batch")
                    best = sorted(
                        (o.score(exponent, self.penalty) for o in oracles[b].values()), reverse=True
                    )
                    if num_beams == full:
                        name = "full-width beam = exhaustive search"
                        self.scores(name, alone, oracles[b], best, exponent, fed, EXHAUSTIVE)
                    expected = [self.score(oracles[b], hyp, exponent) for hyp in alone]
                    name = "a batch = one by one"
                    self.scores(name, found[b], oracles[b], expected, exponent, fed, BATCH)

    def score(self, oracle: dict, tokens: tuple[int, ...], exponent: float) -> float:
        known = oracle.get(tokens)
        return known.score(exponent, self.penalty) if known else math.nan

    def scores(self, name, found, oracle, expected, exponent, fed, look_at) -> None:
        """Outputs are compared by their true scores: two that tie may change places."""
        for rank, hyp in enumerate(found[: len(expected)]):
            score = self.score(oracle, hyp, exponent)
            goal = expected[rank]
            same = abs(score - goal) <= TOLERANCE or (math.isnan(score) and math.isnan(goal))
            due = next((t for t in oracle if self.score(oracle, t, exponent) == goal), ())
            self.trial.claim(
                name,
                same,
                counterexample=(
                    f"{fed}: rank {rank + 1} is {ids(hyp)} with score {number(score)}, but should "
                    f"be {ids(due)} with {number(goal)}"
                ),
                look_at=look_at,
            )

    def greedy(self, model, src, src_lengths, longest, oracles) -> None:
        found = self.run(model, src, src_lengths, 1, longest, 1, 0.0)
        for b, n in enumerate(src_lengths.tolist()):
            one = src[b : b + 1, :n]
            with probes.evaluating(model):
                greedy, near_tie = greedy_output(model, one, longest, TOLERANCE)
            best = found[b][0] if found[b] else ()
            self.trial.claim(
                "one beam = greedy search",
                near_tie or best == greedy,
                counterexample=(
                    f"{model}, source {ids(one[0])}, max_new_tokens {longest}: {ids(best)} but "
                    f"greedy search gives {ids(greedy)}"
                ),
                look_at=GREEDY,
            )

    def real(self, found: list, oracle: dict, n_best: int, exponent: float, fed: str) -> None:
        rubbish = [ids(hyp) for hyp in found if hyp not in oracle]
        claim = self.trial.claim
        text = f"{fed}: {', '.join(rubbish)} is no possible output"
        claim("only possible outputs", not rubbish, counterexample=text, look_at=REAL)
        listed = "[" + ", ".join(map(ids, found)) + "]"
        text = f"{fed}: {listed} holds one twice"
        claim("all distinct", len(set(found)) == len(found), counterexample=text, look_at=DISTINCT)
        due = min(n_best, len(oracle))
        text = f"{fed}: {len(found)} hypotheses, {len(oracle)} outputs exist"
        claim("as many as asked for", len(found) == due, counterexample=text, look_at=COUNT)
        scores = [self.score(oracle, hyp, exponent) for hyp in found]
        scores = [score for score in scores if not math.isnan(score)]
        falling = all(a >= b - TOLERANCE for a, b in zip(scores, scores[1:], strict=False))
        text = f"{fed}: the scores of {listed} are {', '.join(map(number, scores))}"
        claim("sorted, best first", falling, counterexample=text, look_at=SORTED)

    def edges(self, seed: int, device) -> None:
        """Nothing ever ends; all ends at once; more beams than tokens; a single possible output."""
        src = torch.tensor([[5, 6, EOS_ID]], device=device)
        lengths = torch.tensor([3], device=device)
        for model, longest, num_beams in (
            (HashModel(6, seed, eos_bias=-math.inf), 3, 3),
            (HashModel(6, seed, eos_bias=60.0), 3, 3),
            (HashModel(6, seed), 1, 50),
            (TableModel({}), 3, 4),
        ):
            oracle = {output.tokens: output for output in every_output(model, src, longest)}
            found = self.run(model, src, lengths, num_beams, longest, 3, 0.0)[0]
            fed = f"{model}, source [5, 6, 2], num_beams {num_beams}, max_new_tokens {longest}"
            self.real(found, oracle, 3, 0.0, f"{fed}, n_best 3")

    def width(self, exponents: Sequence[float], device) -> None:
        """A model on which a beam that narrows, or stops early, loses the best output."""
        model = TableModel(GARDEN)
        src, lengths = torch.tensor([[5, EOS_ID]], device=device), torch.tensor([2], device=device)
        outputs = every_output(model, src, len(BEST))
        for exponent in exponents:
            best = max(outputs, key=lambda output: output.score(exponent, self.penalty))
            if best.tokens != BEST:
                continue  # this penalty favours short outputs: then EOS alone is the best
            found = self.run(model, src, lengths, 2, len(BEST), 1, exponent)[0]
            self.trial.claim(
                "a finished hypothesis makes room",
                found[:1] == [BEST],
                counterexample=(
                    f"{model}, num_beams 2, max_new_tokens {len(BEST)}, length_penalty {exponent}: "
                    f"{ids(found[0]) if found else 'nothing'}, but {ids(BEST)} scores higher and "
                    f"lies among the two most probable open hypotheses at every step"
                ),
                look_at=WIDTH,
            )
