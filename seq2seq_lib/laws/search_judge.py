"""How law 5 looks at a search: one model and one batch at a time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import returned
from seq2seq_lib.laws import search_hints as hints
from seq2seq_lib.laws.oracle import BEST, GARDEN_PATH, Output, Rules, every_output, greedy_output
from seq2seq_lib.laws.renamed import renamed
from seq2seq_lib.laws.trial import RUNNING, Trial
from seq2seq_lib.laws.verdict import AdapterError, ids, number
from seq2seq_lib.runtime import evaluation_mode
from seq2seq_lib.toy_models import HashModel, TableModel

# nats: summed in another order, float32 log-probabilities differ by 1e-6 each
TOLERANCE = 1e-4

Oracle = dict[tuple[int, ...], Output]  # every possible output, by its tokens


@dataclass(frozen=True)
class Judge:
    trial: Trial
    search: Callable
    penalty: Callable[[int, float], float]
    rules: Rules
    greedy_only: bool

    def run(
        self, model: Any, src: Tensor, src_lengths: Tensor, *settings: Any
    ) -> list[list[tuple[int, ...]]]:
        found = self.search(model, src, src_lengths, *settings)
        lists = list | tuple
        if not isinstance(found, lists) or not all(isinstance(hyps, lists) for hyps in found):
            raise AdapterError(f"search returned {returned.described(found)}", hints.RETURNS)
        if len(found) != len(src):
            came = f"search returned {len(found)} lists for {len(src)} sentences"
            raise AdapterError(came, hints.RETURNS)
        return [[tuple(returned.ids_of(hyp)) for hyp in hyps] for hyps in found]

    def runs(self, model: Any, batch: Batch, longest: int, exponent: float) -> bool:
        """Whether one plain call succeeds; if not, there is nothing to judge."""
        width = 1 if self.greedy_only else 2
        try:
            settings = (width, longest, 1, exponent)
            one, two = (self.run(model, batch.src, batch.src_lengths, *settings) for _ in "ab")
        except (Exception, SystemExit) as error:
            self.trial.crashed(error, RUNNING)
            return False
        if one != two:
            text = f"{model}: {one} in one call and {two} in the next"
            self.trial.claim("the same call twice", False, counterexample=text, look_at=hints.TWICE)
        return one == two

    def tried(self, part: Callable, *args: Any) -> None:
        """What raises here did not in a plain call, so the error is a counterexample."""
        try:
            part(*args)
        except (Exception, SystemExit) as error:
            self.trial.crashed(error, RUNNING, broken=not isinstance(error, AdapterError))

    def check_model(
        self,
        model: Any,
        src: Tensor,
        src_lengths: Tensor,
        longest: int,
        exponents: Sequence[float],
        widths: Sequence[tuple[int, int]],
        full: int | None,
    ) -> None:
        """All checks on one model and one batch of sources."""
        ones = [src[b : b + 1, :n] for b, n in enumerate(src_lengths.tolist())]  # [1, n]
        with evaluation_mode(model):
            oracles = [
                {o.tokens: o for o in every_output(model, one, longest, self.rules)} for one in ones
            ]
        widest = max(map(len, oracles))
        if 0.0 in exponents:
            self.check_greedy(model, src, src_lengths, longest, oracles)
        if self.greedy_only:
            widths = [(1, 1)]
        elif full is not None:
            widths = [*widths, (widest, full)]
        for exponent in exponents:
            for num_beams, n_best in widths:
                settings = (num_beams, longest, n_best, exponent)
                found = self.run(model, src, src_lengths, *settings)
                for b, one in enumerate(ones):
                    alone = self.run(model, one, src_lengths[b : b + 1], *settings)[0]
                    fed = (
                        f"{model}, source {ids(one[0])}, num_beams {num_beams}, max_new_tokens "
                        f"{longest}, n_best {n_best}, length_penalty {exponent}"
                    )
                    self.check_outputs(alone, oracles[b], n_best, exponent, fed, longest)
                    self.check_outputs(
                        found[b], oracles[b], n_best, exponent, f"{fed}, in a batch", longest
                    )
                    best = sorted(
                        (o.score(exponent, self.penalty) for o in oracles[b].values()), reverse=True
                    )
                    if num_beams == widest and full is not None:
                        name = "full-width beam = exhaustive search"
                        look_at = partial(
                            self.cause, model, one, longest, exponents, hints.EXHAUSTIVE
                        )
                        self.check_scores(name, alone, oracles[b], best, exponent, fed, look_at)
                    expected = [self.score(oracles[b], hyp, exponent) for hyp in alone]
                    name = "a batch = one by one"
                    self.check_scores(
                        name, found[b], oracles[b], expected, exponent, fed, hints.BATCH
                    )

    def cause(self, model: Any, one: Tensor, longest: int, exponents: Sequence, usual: str) -> str:
        """``usual``, or FREE_END if a list of all outputs is sorted as if EOS cost nothing.

        It is asked for with the exponent nearest to 0, where a wrong penalty does least.
        """
        exponent = min(exponents, key=abs)
        with evaluation_mode(model):
            oracle = {o.tokens: o for o in every_output(model, one, longest, self.rules)}
        lengths, every = torch.tensor([one.size(1)], device=one.device), len(oracle)
        found = self.run(model, one, lengths, every, longest, every, exponent)[0]
        if {*found} != {*oracle}:
            return usual
        scores = {
            number: [
                getattr(oracle[tokens], number) / self.penalty(len(tokens), exponent)
                for tokens in found
            ]
            for number in ("log_prob", "without_end")
        }
        falls = {
            number: all(a >= b - TOLERANCE for a, b in pairwise(each))
            for number, each in scores.items()
        }
        return hints.FREE_END if falls["without_end"] and not falls["log_prob"] else usual

    def score(self, oracle: Oracle, tokens: tuple[int, ...], exponent: float) -> float:
        known = oracle.get(tokens)
        return known.score(exponent, self.penalty) if known else math.nan

    def check_scores(
        self,
        name: str,
        found: list,
        oracle: Oracle,
        expected: list[float],
        exponent: float,
        fed: str,
        look_at: str,
    ) -> None:
        """Outputs are compared by their true scores: two that tie may change places."""
        for rank, hyp in enumerate(found[: len(expected)]):
            score = self.score(oracle, hyp, exponent)
            goal = expected[rank]
            # where no possible output was due, "only possible outputs" says so
            same = math.isnan(goal) or abs(score - goal) <= TOLERANCE
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

    def check_greedy(
        self, model: Any, src: Tensor, src_lengths: Tensor, longest: int, oracles: list[Oracle]
    ) -> None:
        found = self.run(model, src, src_lengths, 1, longest, 1, 0.0)
        for b, n in enumerate(src_lengths.tolist()):
            one = src[b : b + 1, :n]
            with evaluation_mode(model):
                greedy, near_tie = greedy_output(model, one, longest, TOLERANCE, self.rules)
            best = found[b][0] if found[b] else ()
            self.trial.claim(
                "one beam = greedy search",
                near_tie or best == greedy,
                counterexample=(
                    f"{model}, source {ids(one[0])}, max_new_tokens {longest}: {ids(best)} but "
                    f"greedy search gives {ids(greedy)}"
                ),
                look_at=lambda: self.why_not_greedy(model, one, longest, best, oracles[b]),  # noqa: B023
            )

    def why_not_greedy(self, model: Any, one: Tensor, longest: int, best: tuple, due: dict) -> str:
        if len(best) > longest:
            return hints.TOO_LONG
        if self.rules.eos in best[:-1]:
            return hints.AFTER_EOS
        for rules, hint in (
            (replace(self.rules, banned_ids=()), hints.NOT_BANNED),
            (replace(self.rules, forced_eos=True), hints.FORCED),
        ):
            with evaluation_mode(model):
                if best == greedy_output(model, one, longest, TOLERANCE, rules)[0]:
                    return hint
        if best not in due:
            return f"{hints.REAL}. This one: {self.why_no_output(best, longest)}"
        if self.greedy_only:
            return hints.GREEDY
        return self.cause(model, one, longest, (0.0,), hints.GREEDY)

    def check_outputs(
        self, found: list, oracle: Oracle, n_best: int, exponent: float, fed: str, longest: int
    ) -> None:
        rubbish = [
            f"{ids(hyp)} ({self.why_no_output(hyp, longest)})" for hyp in found if hyp not in oracle
        ]
        claim = self.trial.claim
        text = f"{fed}: {', '.join(rubbish)} is no possible output"
        claim("only possible outputs", not rubbish, counterexample=text, look_at=hints.REAL)
        listed = "[" + ", ".join(map(ids, found)) + "]"
        text = f"{fed}: {listed} holds one twice"
        distinct = len(set(found)) == len(found)
        claim("all distinct", distinct, counterexample=text, look_at=hints.DISTINCT)
        due = min(n_best, len(oracle))
        text = f"{fed}: {len(found)} hypotheses, {len(oracle)} outputs exist"
        many = len(found) == due
        claim("as many as asked for", many, counterexample=text, look_at=hints.COUNT)
        scores = [self.score(oracle, hyp, exponent) for hyp in found]
        scores = [score for score in scores if not math.isnan(score)]
        falling = all(a >= b - TOLERANCE for a, b in pairwise(scores))
        text = f"{fed}: the scores of {listed} are {', '.join(map(number, scores))}"
        claim("sorted, best first", falling, counterexample=text, look_at=hints.SORTED)

    def why_no_output(self, hyp: tuple[int, ...], longest: int) -> str:
        """Why it can be no output."""
        if self.rules.eos in hyp[:-1]:
            return "goes on after EOS"
        if len(hyp) > longest:
            return f"longer than {longest} tokens"
        if not hyp:
            return "empty"
        if self.rules.banned & set(hyp):
            return "holds PAD or BOS"
        if len(hyp) < longest and hyp[-1] != self.rules.eos:
            return "neither ended nor full"
        return "of probability 0"

    def check_edges(self, seed: int, device: Any) -> None:
        """Nothing ever ends; all ends at once; more beams than tokens; a single possible output."""
        conventions = self.rules.conventions
        words = conventions.words(13 + max(conventions.special))
        src = torch.tensor([[words[2], words[3], conventions.eos_id]], device=device)
        lengths = torch.tensor([3], device=device)
        for model, longest, num_beams in (
            (HashModel(6, seed, eos_bias=-math.inf), 3, 3),
            (HashModel(6, seed, eos_bias=60.0), 3, 3),
            (HashModel(6, seed), 1, 50),
            (TableModel({}), 3, 4),
        ):
            if self.rules.forced_eos and getattr(model, "eos_bias", 0.0) == -math.inf:
                continue  # what never ends cannot be made to
            model = renamed(model, conventions)
            width, n_best = (1, 1) if self.greedy_only else (num_beams, 3)
            fed = f"{model}, source {ids(src[0])}, num_beams {width}, max_new_tokens {longest}"

            def one(model=model, longest=longest, width=width, n_best=n_best, fed=fed) -> None:
                oracle = {o.tokens: o for o in every_output(model, src, longest, self.rules)}
                found = self.run(model, src, lengths, width, longest, n_best, 0.0)[0]
                self.check_outputs(found, oracle, n_best, 0.0, f"{fed}, n_best {n_best}", longest)

            self.tried(one)

    def check_width(self, exponents: Sequence[float], device: Any) -> None:
        """A model on which a beam that narrows, or stops early, loses the best output."""
        conventions = self.rules.conventions
        model = renamed(TableModel(GARDEN_PATH), conventions)
        words = conventions.words(13 + max(conventions.special))
        src = torch.tensor([[words[2], conventions.eos_id]], device=device)
        lengths = torch.tensor([2], device=device)
        outputs = every_output(model, src, len(BEST), self.rules)
        goal = (words[1], words[2], words[2], conventions.eos_id)  # BEST, in their ids
        for exponent in exponents:
            best = max(outputs, key=lambda output: output.score(exponent, self.penalty))
            if best.tokens != goal:
                continue  # this penalty favours short outputs: then EOS alone is the best
            found = self.run(model, src, lengths, 2, len(BEST), 1, exponent)[0]
            self.trial.claim(
                "a finished hypothesis makes room",
                found[:1] == [goal],
                counterexample=(
                    f"{model}, num_beams 2, max_new_tokens {len(BEST)}, length_penalty {exponent}: "
                    f"{ids(found[0]) if found else 'nothing'}, but {ids(goal)} scores higher and "
                    f"lies among the two most probable open hypotheses at every step"
                ),
                look_at=partial(self.cause, model, src, len(BEST), exponents, hints.WIDTH),
            )
