"""An explorer, declared: what it computes, what it draws, what can be set, what is asked.

    compute(**params) -> Result      pure; its signature holds the defaults
    draw(result, veiled=False)       pure; an SVG, and with ``veiled`` one that hides the answer

``Explorer`` adds named states, controls and a question. From that come the live panel
(``panel.py``), the still for readers who run nothing (``still.py``) and the table of a page without
a kernel (``table.py``). What can be set is said once: ``validate`` asks the controls.
"""

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params, Text
from seq2seq_lib.course.explorers.kit.still import Still

NO_LOCK: Set[str] = frozenset()
NO_ANYWIDGET = (
    "This kernel has no anywidget, so here is a still: pip install anywidget, and restart the "
    "kernel."
)


class Draw(Protocol):
    """A result as SVG; veiled, it holds nothing that answers the question."""

    def __call__(self, result: Any, *, veiled: bool = False) -> str: ...


@dataclass(frozen=True)
class State:
    """A named setting.

    Attributes:
        caption: what the picture of this state shows; it may state the finding.
        changes: the parameters that differ from the defaults of ``compute``.
    """

    caption: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What a reader predicts before the picture opens.

    Attributes:
        asks: the question.
        answers: text of each button -> its name.
        about: what of the parameters it is about; one prediction is kept for each.
    """

    asks: str
    answers: Mapping[str, str]
    about: str


@dataclass(frozen=True)
class Verdict:
    """The answer: its name among ``Question.answers``, and one sentence that says why."""

    answer: str
    why: str


@dataclass(frozen=True)
class Explorer:
    """Everything that makes an explorer.

    Attributes:
        name: its folder.
        title: its name for readers.
        compute, draw: see above.
        states: by name; the first is the default.
        controls: rows of controls, from the top.
        question: what is asked with these parameters; None for an explorer that asks nothing.
        judge: the verdict on a result; needed where there is a question.
        tidy: repairs parameters that do not fit each other, such as a width below a length; it
            also gets the names of the parameters that are locked.
        film: the states of the still; a still that was asked for another state shows that alone.

    Raises:
        ValueError: parts that do not fit each other, such as a state that no control allows; the
            message names the explorer and the part.
    """

    name: str
    title: str
    compute: Callable[..., Any]
    draw: Draw
    states: Mapping[str, State]
    controls: Sequence[Sequence[Choice | Number | Text]]
    question: Callable[[Params], Question] | None = None
    judge: Callable[[Any], Verdict] | None = None
    tidy: Callable[[dict[str, Any], Set[str]], dict[str, Any]] = lambda params, locked: params
    film: Sequence[str] = ()

    def __post_init__(self) -> None:
        parameters = inspect.signature(self.compute).parameters
        if bare := [name for name, p in parameters.items() if p.default is p.empty]:
            raise ValueError(f"{self.name}: compute needs defaults for {_listed(bare)}.")
        names = dict.fromkeys(control.name for control in self.all_controls())
        if wrong := [name for name in names if name not in parameters]:
            raise ValueError(
                f"{self.name}: a control moves {_listed(wrong)}, but the parameters of compute are "
                f"{_listed(parameters)}."
            )
        if still := [name for name in parameters if name not in names]:
            raise ValueError(f"{self.name}: no control moves {_listed(still)} of compute.")
        if unknown := [name for name in self.film if name not in self.states]:
            raise ValueError(
                f"{self.name}: film names {_listed(unknown)}, but the states are "
                f"{_listed(self.states)}."
            )
        if self.question is not None and self.judge is None:
            raise ValueError(f"{self.name}: it asks a question, so it needs judge for the answer.")
        for state in self.states:
            try:
                self.validate(self.params(state))
            except ValueError as error:
                raise ValueError(f"{self.name}, state {state!r}: {error}") from error

    def open(self, state: str | None = None, lock: Sequence[str] = ()) -> Any:
        """Open the explorer.

        Args:
            state: one of ``states``; the first when left out.
            lock: parameters that stay as they are. Their controls are shown, and cannot be moved.

        Returns:
            The live panel; a still where nobody could use one: without a kernel, without
            anywidget, and under nbgrader.

        Raises:
            ValueError: no such state, or no such parameter to lock; the message lists them.
        """
        name, locked = self.checked(state, lock)
        if not can_be_live():
            return Still.of(self, name)
        try:
            from seq2seq_lib.course.explorers.kit.panel import Panel
        except ImportError:
            return Still.of(self, name, NO_ANYWIDGET)
        return Panel(self, name, locked)

    def checked(self, state: str | None, lock: Sequence[str]) -> tuple[str, frozenset[str]]:
        """The state and the lock, if there are such."""
        name = next(iter(self.states)) if state is None else state
        if name not in self.states:
            raise ValueError(f"Unknown state: {state!r}. Valid: {_listed(self.states)}.")
        if isinstance(lock, str):
            raise TypeError(f"lock must be a list of parameters, such as [{lock!r}], not a text.")
        names = dict.fromkeys(control.name for control in self.all_controls())
        for parameter in lock:
            if parameter not in names:
                raise ValueError(f"Unknown name in lock: {parameter!r}. Valid: {_listed(names)}.")
        return name, frozenset(lock)

    def all_controls(self) -> list[Choice | Number | Text]:
        """The controls of all rows."""
        return [control for row in self.controls for control in row]

    def defaults(self) -> dict[str, Any]:
        """The parameters of ``compute``, as its signature has them."""
        parameters = inspect.signature(self.compute).parameters
        return {name: parameter.default for name, parameter in parameters.items()}

    def params(self, state: str) -> dict[str, Any]:
        """All parameters of a state: its own over the defaults."""
        return {**self.defaults(), **self.states[state].changes}

    def validate(self, params: Params) -> None:
        """Refuse parameters that no control allows.

        Raises:
            ValueError: naming the parameter, what it may be, and what it is.
        """
        names = dict.fromkeys(control.name for control in self.all_controls())
        if wrong := names.keys() ^ params.keys():
            raise ValueError(f"Parameters are {_listed(names)}: {_listed(sorted(wrong))} differ.")
        for control in self.all_controls():
            if control.matters(params):
                control.accepted(control.get(params), params)

    def move(self, params: Params, key: str, value: Any, locked: Set[str] = NO_LOCK) -> dict:
        """The parameters after a reader has moved one control.

        What does not matter any more goes back to its default: so what is shown follows from the
        controls that are seen, and from nothing else.

        Raises:
            ValueError: the control is not there or not free, or does not allow the value.
        """
        for control in self.all_controls():
            if control.key == key and control.matters(params) and control.name not in locked:
                moved = control.put(params, control.accepted(value, params))
                return self._forget(self.tidy(moved, locked))
        free = [c.key for c in self.all_controls() if c.matters(params) and c.name not in locked]
        raise ValueError(f"{key!r} cannot be moved now. What can: {_listed(free)}.")

    def _forget(self, params: dict[str, Any]) -> dict[str, Any]:
        defaults = self.defaults()
        for control in self.all_controls():
            if not control.matters(params):
                params = control.put(params, control.get(defaults))
        return params

    def picture(self, state: str) -> str:
        """One state as SVG, everything shown."""
        return self.draw(self.compute(**self.params(state)))

    def view(self, params: Params) -> dict[str, Any]:
        """All that the panel shows with these parameters, as plain data.

        ``rows`` holds the controls that matter now; ``open`` is the picture, ``veiled`` what is
        seen before a prediction. Without a question there is no ``veiled``.

        Raises:
            ValueError: a parameter is none that the controls allow; see ``validate``.
        """
        self.validate(params)
        result = self.compute(**params)
        rows = [
            [
                {
                    "key": control.key,
                    "name": control.name,
                    "label": control.label,
                    "value": control.get(params),
                    **control.as_data(params),
                }
                for control in row
                if control.matters(params)
            ]
            for row in self.controls
        ]
        view = {"rows": [row for row in rows if row], "open": self.draw(result)}
        if self.question is None:
            return {**view, "question": None, "veiled": None, "answer": None, "why": ""}
        question, verdict = self.question(params), self.judge(result)
        if verdict.answer not in question.answers.values():
            raise ValueError(
                f"The answer {verdict.answer!r} is none of those that {self.name} offers: "
                f"{_listed(question.answers.values())}."
            )
        answers = [{"text": text, "value": value} for text, value in question.answers.items()]
        return {
            **view,
            "veiled": self.draw(result, veiled=True),
            "question": {"asks": question.asks, "answers": answers, "about": question.about},
            "answer": verdict.answer,
            "why": verdict.why,
        }

    def spec(self, state: str, locked: Set[str] = NO_LOCK) -> dict[str, Any]:
        """What of the panel never changes."""
        return {"title": self.title, "state": state, "lock": sorted(locked)}


def can_be_live() -> bool:
    """Whether a panel would reach a reader: there is a kernel with comms, and nobody grades."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return False
    ipython = sys.modules.get("IPython")  # not imported: then this is no notebook
    kernel = getattr(ipython and ipython.get_ipython(), "kernel", None)
    return getattr(kernel, "comm_manager", None) is not None


def failure(error: Exception) -> str:
    """A picture of what went wrong: an old picture under new controls would be a lie."""
    return svg.message(f"{type(error).__name__}: {error}")


def _listed(names) -> str:
    return ", ".join(repr(name) for name in names)
