"""What callables return, made one: tensors out of tuples, dicts and Hugging Face's outputs.

Where that is not possible, an ``AdapterError`` says what came and what was expected.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.laws.verdict import AdapterError


def described(value: Any, depth: int = 2) -> str:
    """What a value is, in a few words: ``a tuple of (a tensor [5, 6, 13], None)``."""
    if isinstance(value, Tensor):
        kind = "" if value.is_floating_point() else f" of {str(value.dtype).removeprefix('torch.')}"
        return f"a tensor {list(value.shape)}{kind}" if value.dim() else "a number"
    if value is None:
        return "nothing (None)"
    if isinstance(value, str):
        return f"the text {value[:20]!r}"
    if isinstance(value, Mapping):
        kind = type(value).__name__
        return f"a {kind} with the keys {', '.join(map(str, value))}"
    if isinstance(value, tuple | list) and depth:
        parts = ", ".join(described(part, depth - 1) for part in value[:4])
        return f"a {type(value).__name__} of ({parts}{', ...' if len(value) > 4 else ''})"
    if isinstance(value, bool | int | float):
        return f"the number {value}"
    return f"a {type(value).__name__}"


def _named(value: Any, *names: str) -> Any:
    """The first entry or attribute of these names."""
    for name in names:
        if isinstance(value, Mapping) and name in value:
            return value[name]
        if not isinstance(value, Tensor | Mapping) and hasattr(value, name):
            return getattr(value, name)
    return None


LOGITS = "logits", "log_probs", "prediction_scores"


def logits_of(result: Any, B: int, T: int, largest: int = 0) -> Tensor:
    """Logits floats ``[B, ≥ T, V]``, as they came; V is above the ``largest`` target."""
    found = result if isinstance(result, Tensor) else _named(result, *LOGITS)
    if found is None and isinstance(result, tuple | list):
        found = next((x for x in result if isinstance(x, Tensor) and x.dim() == 3), None)
    form = f"[B, T, V] = [{B}, {T}, V]"
    if not isinstance(found, Tensor):
        raise AdapterError(
            f"logits came as {described(result)}; they must be {form}",
            "a tensor, a tuple that holds one, or a dict or an object with the name 'logits'",
        )
    if found.dim() != 3 or found.size(0) != B or found.size(1) < T:
        more = ""
        if list(found.shape[:2]) == [T, B] and B != T:
            more = "; time stands first: pass Conventions(time_first=True)"
        elif found.dim() == 3 and found.shape[:2] == (B, T - 1):
            more = (
                "; one position is missing: a model that shifts one target BOS … EOS itself takes "
                "laws.whole_target(batch)"
            )
        elif found.dim() == 2 and found.size(0) == B * T:
            more = "; rows are flat: .view(B, T, -1)"
        raise AdapterError(
            f"logits must be {form}, not {list(found.shape)}", f"logits {form}{more}"
        )
    if not found.is_floating_point():
        raise AdapterError(
            f"logits came as {described(found)}", f"floats {form}: logits, before any argmax"
        )
    if found.size(2) <= largest:
        raise AdapterError(
            f"logits came as {list(found.shape)}, where the largest target is {largest}",
            f"logits {form}, the vocabulary last (.transpose(1, 2) of what a loss wants as "
            f"[B, V, T]); if it is, pass tgt_vocab_size={found.size(2)}",
        )
    return found


def as_batch_first(result: Any) -> Any:
    """Logits that came with time first."""
    found = result if isinstance(result, Tensor) else _named(result, *LOGITS)
    if found is None and isinstance(result, tuple | list):
        found = next((x for x in result if isinstance(x, Tensor) and x.dim() == 3), None)
    return found.transpose(0, 1) if isinstance(found, Tensor) and found.dim() == 3 else result


def scores_of(result: Any, B: int) -> Tensor:
    """The scores ``[B, V]`` of the next token."""
    found = result if isinstance(result, Tensor) else _named(result, *LOGITS)
    if not isinstance(found, Tensor) or found.dim() != 2 or found.size(0) != B:
        raise AdapterError(
            f"step returned scores that are {described(result)}",
            f"[B, V] = [{B}, V], the scores of the next token: without a time axis",
        )
    return found


def are_probabilities(values: Tensor) -> bool:
    """Whether rows lie in 0 .. 1 and sum to 1, so they can be no logits by chance."""
    values = values.detach()
    inside = bool(((values >= 0) & (values <= 1)).all())
    one = torch.ones((), dtype=values.dtype, device=values.device)
    return inside and bool(torch.isclose(values.sum(-1), one, atol=1e-3).all())


def encoded_of(result: Any) -> tuple[Any, Any]:
    """Memory and state, either of which may be None."""
    if isinstance(result, Tensor):
        return result, None
    memory = _named(result, "last_hidden_state", "memory", "encoder_out", "outputs")
    state = _named(result, "final_state", "state", "hidden", "h_n")
    if memory is not None or state is not None:
        return memory, state
    if isinstance(result, tuple | list) and result:
        return result[0], result[1] if len(result) > 1 else None
    raise AdapterError(
        f"encode returned {described(result)}",
        "(memory [B, S, ...], state), memory alone, or a dict or object with 'last_hidden_state' "
        "or 'memory', and 'state'",
    )


def tensors_in(state: Any, what: str = "state", depth: int = 5) -> Iterator[Tensor]:
    """The tensors of a nest of tuples, lists, dicts and dataclasses; flags are passed over."""
    if isinstance(state, Tensor):
        yield state
        return
    if state is None or isinstance(state, bool | int | float | str):
        return
    if isinstance(state, Mapping):
        parts = list(state.values())
    elif isinstance(state, tuple | list):
        parts = list(state)
    elif is_dataclass(state) and not isinstance(state, type):
        parts = [getattr(state, field.name) for field in fields(state)]
    else:
        parts = None
    if parts is None or depth == 0:
        raise AdapterError(
            f"encode returned a {what} with {described(state)} in it",
            "a tensor [B, ...] or a nest of such tensors (tuple, list, dict, dataclass), or None",
        )
    for part in parts:
        yield from tensors_in(part, what, depth - 1)


def as_tensor(number: Any) -> Tensor:
    """A number as a tensor; a tensor stays where it is, whatever the default device."""
    return number if isinstance(number, Tensor) else torch.as_tensor(number)


def sum_of(result: Any, tokens: int | Tensor) -> tuple[Tensor, int]:
    """A loss as a sum and a count: from ``LossSum``, ``(total, tokens)``, or a mean over tokens.

    What stands behind is left out: the logits of ``(loss, logits)``, say.
    """
    loss, count = _counted(result)
    try:
        count = None if count is None else as_tensor(count).detach()
        whole = int(tokens if count is None else count)
        total = as_tensor(loss) * (whole if count is None else 1)
        readable = not total.dim() and (count is None or float(count) == whole)
    except (TypeError, ValueError, RuntimeError):
        readable = False
    if not readable:
        what = described(result)
        if isinstance(result, Tensor):
            what = f"its shape is {list(result.shape)}"
        raise AdapterError(
            f"the loss must be one number, but {what if ' is ' in what else f'it came as {what}'}",
            "LossSum, (total, number of tokens), or the mean over tokens: one number",
        )
    return total, whole


def is_bare(result: Any) -> bool:
    """Whether a loss is a number without a count."""
    return _counted(result)[1] is None


def _counted(result: Any) -> tuple[Any, Any]:
    """A loss and the count that came with it, or None."""
    if hasattr(result, "total") and hasattr(result, "tokens"):
        return result.total, result.tokens
    if not isinstance(result, Tensor | tuple | list):
        named = _named(result, "loss")
        return (result if named is None else named), None
    if isinstance(result, Tensor):
        return result, None
    numbers = [isinstance(x, int | float) or getattr(x, "shape", None) == () for x in result]
    if numbers[:1] == [True] and not any(numbers[2:]):
        return result[0], result[1] if numbers[1:2] == [True] else None
    return result, None


def lists_of(outputs: Any, B: int, what: str, time_first: bool = False) -> Any:
    """Outputs, one a sentence: a list, a tensor or array ``[B, L]``, or what has ``sequences``.

    With ``time_first`` a tensor is ``[L, B]``.
    """
    found = outputs
    if isinstance(outputs, Mapping) or not hasattr(outputs, "__getitem__"):
        found = _named(outputs, "sequences")
    if found is None or isinstance(found, str):
        raise AdapterError(
            f"{what} returned {described(outputs)}",
            f"{B} outputs, one a sentence: lists of ids or of hypotheses, or a tensor [B, L]",
        )
    if time_first and isinstance(found, Tensor):
        found = found.T
    if len(found) != B:
        raise AdapterError(
            f"{what} returned {len(found)} outputs for {B} sentences", "one output a sentence"
        )
    return found


def ids_of(output: Any) -> list[int]:
    """The best output of a sentence: from a list of hypotheses, one hypothesis, or plain ids."""
    if isinstance(output, Sequence) and len(output) and hasattr(output[0], "tokens"):
        output = output[0]
    output = getattr(output, "tokens", output)
    try:
        return output.tolist() if isinstance(output, Tensor) else [int(token) for token in output]
    except (TypeError, ValueError):
        raise AdapterError(
            f"an output came as {described(output)}", "a list of ids, or an object with 'tokens'"
        ) from None
