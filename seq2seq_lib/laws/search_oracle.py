"""Law 5: search has an oracle.

On a tiny vocabulary every possible output can be written down. One beam must then be greedy
search, a beam as wide as the number of outputs must find the very best ones, and any beam must
return real outputs, each once, sorted, whatever else is in the batch.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from seq2seq_lib.laws import probes
from seq2seq_lib.laws.calls import watched
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, options
from seq2seq_lib.laws.oracle import Rules, plain_penalty
from seq2seq_lib.laws.renamed import renamed
from seq2seq_lib.laws.search_judge import Judge
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import Verdict
from seq2seq_lib.toy_models import HashModel

LAW = "Law 5, search has an oracle"
PENALTIES = (0.0, 0.6, 1.0, -0.5)

ORDER = (
    "runs without",
    "the same call twice",
    "one beam = greedy",
    "a batch = one by one",
    "only possible",
    "all distinct",
    "a finished hypothesis",
    "full-width",
    "as many",
    "sorted",
)


def search_oracle(
    search: Callable[..., Sequence[Sequence[Any]]],
    *,
    models: Sequence[Any] | None = None,
    length_penalties: Sequence[float] = PENALTIES,
    penalty: Callable[[int, float], float] = plain_penalty,
    num_beams: Sequence[int] = (2, 3),
    full_width: bool = True,
    n_best: int = 2,
    greedy_only: bool = False,
    banned_ids: Sequence[int] | None = None,
    forced_eos: bool = False,
    edges: bool = True,
    max_new_tokens: int = 4,
    src_vocab_size: int = 11,
    conventions: Conventions = DEFAULT,
    seed: int = 0,
    device: torch.device | str | None = None,
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
        num_beams: widths to try, besides 1.
        full_width: also try a beam as wide as there are outputs (some hundreds), which must find
            the best of all.
        n_best: hypotheses asked for (4 at full width, unless it is 1).
        greedy_only: the search has one beam and no penalty: ask for nothing else.
        banned_ids: what it never writes; PAD and BOS when left out, ``()`` for nothing.
        forced_eos: whether the last of ``max_new_tokens`` tokens is always EOS.
        edges: also where nothing ever ends, all ends at once, or beams outnumber the outputs.
        max_new_tokens: of the longest outputs.
        conventions: the ids; those of ``models`` are theirs.
        seed, device: of models and sources.
    """
    device = probes.device_of(search, *(models or ())) if device is None else device
    if greedy_only:
        num_beams, full_width, n_best, length_penalties = (), False, 1, (0.0,)
    rules = Rules(conventions, None if banned_ids is None else tuple(banned_ids), forced_eos)
    said = {
        "the search is greedy (greedy_only=True)": not greedy_only,
        f"ids {list(banned_ids or ())} are banned": banned_ids is None,
        "the last token is always EOS (forced_eos=True)": not forced_eos,
        f"num_beams {list(num_beams)}": greedy_only or tuple(num_beams) == (2, 3),
        "no beam as wide as the outputs (full_width=False)": greedy_only or full_width,
        f"n_best {n_best}": greedy_only or n_best == 2,
    }
    trial = Trial(LAW, order=ORDER, **options(conventions, **said))
    widths = [(width, n_best) for width in num_beams]
    call = watched(trial, search, "model", "src", "src_lengths")
    judge = Judge(trial, call, penalty, rules, greedy_only)
    own = models or [renamed(model, conventions) for model in _hash_models(seed)]
    shape = (3, 5, 3)
    batches = [
        probes.make_batch(shape, src_vocab_size, 13 + max(conventions.special), seed + i, device,
                          conventions)
        for i in range(len(own))
    ]  # fmt: skip
    with probes.undisturbed(search, *(models or ()), seed=seed), torch.no_grad():
        for model, batch in zip(own, batches, strict=True):
            if not judge.runs(model, batch, max_new_tokens, length_penalties[0]):
                return trial.verdict()
            full = (n_best if n_best == 1 else max(4, n_best)) if full_width else None
            sources = batch.src, batch.src_lengths
            judge.tried(
                judge.check_model, model, *sources, max_new_tokens, length_penalties, widths, full
            )
        if models is None and edges:
            judge.check_edges(seed, device)
        if models is None and not greedy_only and 2 in num_beams:
            judge.tried(judge.check_width, length_penalties, device)
    return trial.verdict()


def _hash_models(seed: int) -> list[HashModel]:
    """Random ones: EOS as probable as others, likelier, and rarer; five live tokens at most."""
    return [
        HashModel(7, seed=3 * seed, eos_bias=0.0),
        HashModel(6, seed=3 * seed + 1, eos_bias=1.5),
        HashModel(6, seed=3 * seed + 2, eos_bias=-2.0),
    ]
