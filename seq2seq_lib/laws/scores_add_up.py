"""Law 6: scores add up.

The log-probability that a search returns is the teacher-forced log-probability of what it returned,
and the score is that log-probability under the length penalty as stated. A search that mixes up two
states returns sensible words with the numbers of others.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq_lib.laws import probes, returned
from seq2seq_lib.laws.calls import watched
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, options
from seq2seq_lib.laws.oracle import plain_penalty
from seq2seq_lib.laws.renamed import renamed
from seq2seq_lib.laws.search_oracle import PENALTIES
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict, ids
from seq2seq_lib.runtime import evaluation_mode
from seq2seq_lib.toy_models import HashModel

LAW = "Law 6, scores add up"
# nats: up to eight float32 log-probabilities, each from a batch of another width (1e-5)
TOLERANCE = 1e-4

ORDER = ("runs without", "a list of hypotheses", "outputs are made", "log_prob", "score")
HYPOTHESES = (
    "a list for each sentence of hypotheses with 'tokens' and 'log_prob', or 'score' alone; "
    "laws.Hyp(tokens, log_prob, score) will do"
)
LOG_PROB = (
    "whose state was read: hidden state, cell, attention context and score must all be reordered "
    "by the same parents, every layer, and finished hypotheses must keep their number. On a model "
    "of your own law 4 (parallel_stepwise) first: its step may differ from its one pass"
)
NO_EOS = "it is the sum without EOS: ending has a probability too, and it belongs to the output"
OTHER = "it is the log-probability of another hypothesis of the same list: parents are mixed up"
GOES_ON = "where the output ends: at its first EOS, and what stands behind it is no part of it"
BEGINS = "where the output begins: BOS is fed and not written, so it is no part of it"
AFTER = "the hypothesis ended and its score went on growing or was normalised already"
SCORE = "the length penalty: score = log_prob / penalty(number of tokens, EOS counted, BOS not)"
PARTS = "the token log-probabilities: those of the tokens returned, in their order, EOS among them"
NEVER_PARTED = (
    "no two hypotheses of a sentence share their first token, so none was seen to have two children"
)
FINISHED = "finished is True exactly if the last token is EOS"


def scores_add_up(
    search: Callable[..., Sequence[Sequence[Any]]],
    *,
    models: Sequence[Any] | None = None,
    length_penalties: Sequence[float] = PENALTIES,
    penalty: Callable[[int, float], float] = plain_penalty,
    num_beams: Sequence[int] = (1, 2, 4),
    n_best: int | None = None,
    max_new_tokens: int = 6,
    src_vocab_size: int = 11,
    conventions: Conventions = DEFAULT,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Recompute the numbers of every hypothesis that a search returns.

    Args:
        search: as in ``search_oracle``. Its hypotheses have ``tokens`` and ``log_prob``, or
            ``score`` alone; ``token_log_probs`` and ``finished`` are judged where they exist.
            ``laws.Hyp(tokens, log_prob, score)`` will do.
        models: with the decoding protocol, weightless ones when left out. Modules are rescored in
            evaluation mode.
        length_penalties, penalty: the exponents, and ``(length, exponent)`` to the divisor.
        num_beams: widths to try.
        n_best: hypotheses asked for; the width when left out.
        max_new_tokens, src_vocab_size: of the probes.
        conventions: the ids; those of ``models`` are theirs.
        tolerance: in nats.
        seed, device: of models and sources.
    """
    device = probes.device_of(search, *(models or ())) if device is None else device
    trial, judged = Trial(LAW, order=ORDER, **options(conventions)), 0
    parted = []  # of each list of several hypotheses, whether two of them begin alike
    if models is None:
        biases = (0.0, 1.5, -2.0)
        models = [HashModel(9, 3 * seed + i, eos_bias=bias) for i, bias in enumerate(biases)]
        models = [renamed(model, conventions) for model in models]
    call = watched(trial, search, "model", "src", "src_lengths")
    other = 13 + max(conventions.special)
    batches = [
        probes.make_batch((4, 5, 3), src_vocab_size, other, seed + i, device, conventions)
        for i in range(len(models))
    ]
    with trial.on_probes(search, *models, seed=seed, comparing=True), torch.no_grad():
        for (model, batch), width, exponent in product(
            zip(models, batches, strict=True), num_beams, length_penalties
        ):
            settings = (width, max_new_tokens, n_best or width, exponent)
            found = call(model, batch.src, batch.src_lengths, *settings)
            if not isinstance(found, list | tuple):
                raise AdapterError(f"search returned {returned.described(found)}", HYPOTHESES)
            trial.claim(
                "a list of hypotheses for each sentence",
                len(found) == len(batch),
                counterexample=f"{len(found)} lists for {len(batch)} sentences",
                look_at="the loop over the sentences of the batch",
            )
            for b, hyps in enumerate(found):
                _numbers(hyps)
                judged += len(hyps)
                begun = [tuple(map(int, hyp.tokens[:1])) for hyp in hyps]
                parted += [len(set(begun)) < len(begun)] * (len(begun) > 1)
                one = batch.src[b : b + 1, : int(batch.src_lengths[b])]
                fed = f"{_name(model)}, source {ids(one[0])}, num_beams {width}"
                fed += f", length_penalty {exponent}"
                with evaluation_mode(model):
                    true = [rescore(model, one, h.tokens, conventions) for h in hyps]
                for rank, hyp in enumerate(hyps):
                    _judge(
                        trial, hyp, rank, true, exponent, penalty, tolerance, fed, conventions
                    )  # fmt: skip
        if parted and not any(parted):
            trial.assume(NEVER_PARTED)
        trial.claim(
            "something was found",
            judged > 0,
            counterexample="no hypothesis came back, for any sentence and any width",
            look_at="what the search returns",
        )
    return trial.verdict()


def _numbers(hyps: Sequence[Any]) -> None:
    for hyp in hyps if isinstance(hyps, list | tuple) else [None]:
        if not hasattr(hyp, "tokens"):
            raise AdapterError(
                f"search returned {returned.described(hyps)} for a sentence", HYPOTHESES
            )
        if getattr(hyp, "log_prob", None) is None and getattr(hyp, "score", None) is None:
            raise AdapterError("a hypothesis came without a number", HYPOTHESES)


def rescore(
    model: Any, src: Tensor, tokens: Sequence[int], conventions: Conventions = DEFAULT
) -> list[float]:
    """Log-probabilities of ``tokens`` (no BOS) after the source ``[1, S]``, fed one by one.

    They end before a token that is no id of the vocabulary.
    """
    state = model.start(src, torch.tensor([src.size(1)], device=src.device))
    found = []
    for last, token in pairwise([conventions.bos_id, *map(int, tokens)]):
        log_probs, state = model.step(torch.tensor([last], device=src.device), state)
        if not 0 <= token < log_probs.size(1):
            break
        found.append(float(log_probs[0, token]))
    return found


def _judge(
    trial: Trial,
    hyp: Any,
    rank: int,
    true: list[list[float]],
    exponent: float,
    penalty: Callable[[int, float], float],
    tolerance: float,
    fed: str,
    conventions: Conventions,
) -> None:
    tokens, parts = [int(token) for token in hyp.tokens], true[rank]
    total = sum(parts)
    # of the log-probability that it returned, if it did: one mistake is reported once
    known = getattr(hyp, "log_prob", None) is not None
    log_prob = float(hyp.log_prob) if known else total
    fed = f"{fed}, hypothesis {rank + 1}: {ids(tokens)}"
    can_be_read = trial.claim(
        "outputs are made of ids",
        0 < len(tokens) == len(parts),
        counterexample=f"{fed}: it is empty, or holds what is no id of the vocabulary",
        look_at="what is appended to an output",
    )
    if not can_be_read:
        return

    def equal(name: str, found: Any, expected: Any, look_at: str | Callable[[], str]) -> bool:
        found, expected = (
            torch.tensor(x, dtype=torch.float64, device="cpu") for x in (found, expected)
        )
        sides = ("returned", "rescored")
        return trial.equal(name, found, expected, tolerance, fed=fed, look_at=look_at, sides=sides)

    def why_log_prob() -> str:
        return _explain_log_prob(log_prob, rank, true, tokens, conventions)

    if known:
        equal("log_prob = teacher-forced log-probability", log_prob, total, why_log_prob)
    score = getattr(hyp, "score", None)
    if score is not None:

        def why_score() -> str:
            return _explain_score(float(score), log_prob, tokens, exponent, penalty)

        expected = log_prob / penalty(len(tokens), exponent)
        equal("score = log_prob / penalty", float(score), expected, why_score)
    returned = getattr(hyp, "token_log_probs", None)
    if returned is not None:
        equal("token_log_probs", [float(x) for x in returned], parts, PARTS)
    finished = getattr(hyp, "finished", None)
    if finished is not None:
        text = f"{fed}: finished is {finished}"
        right = bool(finished) == (tokens[-1:] == [conventions.eos_id])
        trial.claim("finished = ends with EOS", right, counterexample=text, look_at=FINISHED)


def _explain_log_prob(
    found: float,
    rank: int,
    true: list[list[float]],
    tokens: list[int],
    conventions: Conventions,
) -> str:
    parts, bos, eos = true[rank], conventions.bos_id, conventions.eos_id
    if eos in tokens[:-1] and not (bos == eos and tokens[0] == bos):
        return GOES_ON
    if tokens[0] == bos != eos:
        return BEGINS
    total = sum(parts)
    suspects = {
        NO_EOS: [sum(parts[:-1])] if tokens[-1] == eos else [],
        OTHER: [sum(other) for other in true],
        AFTER: [total / len(parts) ** power for power in PENALTIES[1:]],
        "it is a sum of probabilities: take the log_softmax first": [sum(map(math.exp, parts))],
        "it is the probability: its logarithm is wanted": [math.exp(total)],
        "it is a logarithm to base 2 or 10: the natural one is wanted": [
            total / math.log(base) for base in (2, 10)
        ],
    }
    for text, values in suspects.items():
        if any(math.isclose(found, value, abs_tol=1e-5) for value in values):
            return text
    return LOG_PROB


def _explain_score(
    found: float, log_prob: float, tokens: list[int], exponent: float, penalty: Callable
) -> str:
    n = len(tokens)
    suspects = {
        "the penalty has the wrong sign: log-probabilities are negative, so dividing by length ** "
        "alpha with alpha > 0 favours LONG outputs": log_prob * penalty(n, exponent),
        "the length leaves out EOS": log_prob / penalty(max(1, n - 1), exponent),
        "the length counts BOS too": log_prob / penalty(n + 1, exponent),
        "no penalty was applied": log_prob,
        "alpha * length was subtracted": log_prob - exponent * n,
        "alpha * length was added": log_prob + exponent * n,
        "the log-probability was divided by the length, whatever the exponent": log_prob / n,
    }
    for text, suspect in suspects.items():
        if math.isclose(found, suspect, abs_tol=1e-5):
            return f"{text}; {SCORE}"
    return SCORE


def _name(model: Any) -> str:
    return type(model).__name__ if isinstance(model, nn.Module) else str(model)
