"""What a reader can set: buttons, numbers, sliders, text.

A control knows its parameter of ``compute``, what stands before it, which values are allowed, and
when it matters: the panel shows no other ones. All of it is data, which ``panel.js`` draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Params = Mapping[str, Any]  # of compute, by name
Limit = int | Callable[[Params], int]  # a number, or what it is for these parameters


@dataclass(frozen=True, kw_only=True)
class Control:
    """What all controls have.

    Attributes:
        when: parameter -> the values with which this control matters; all of them must fit.
        static: the values that a page without a kernel offers; None for all there are.
    """

    when: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    static: Sequence[Any] | None = None

    @property
    def key(self) -> str:
        """Names the control among all of an explorer."""
        return self.name

    def matters(self, params: Params) -> bool:
        """Whether it would change anything now."""
        return all(params[name] in values for name, values in self.when.items())

    def get(self, params: Params) -> Any:
        """Its value among the parameters."""
        return params[self.name]

    def put(self, params: Params, value: Any) -> dict[str, Any]:
        """The parameters with its value replaced."""
        return {**params, self.name: value}


@dataclass(frozen=True)
class Choice(Control):
    """Buttons, one of them pressed.

    Attributes:
        name: the parameter of ``compute`` that it sets.
        label: what stands before it.
        options: text of each button -> value of the parameter.
    """

    name: str
    label: str
    options: Mapping[str, Any]

    def values(self, params: Params) -> list[Any]:
        """All that a reader can choose."""
        return list(self.options.values())

    def accepted(self, value: Any, params: Params) -> Any:
        """The value, as it is among the options."""
        for option in self.options.values():
            if option == value and isinstance(option, bool) == isinstance(value, bool):
                return option
        valid = ", ".join(map(repr, self.options.values()))
        raise ValueError(f"{self.name} must be one of {valid}, but it is {value!r}.")

    def as_data(self, params: Params) -> dict[str, Any]:
        """What the panel needs to draw it."""
        options = [{"text": text, "value": value} for text, value in self.options.items()]
        return {"kind": "choice", "options": options}


@dataclass(frozen=True)
class Number(Control):
    """A field or a slider for an integer; with ``index`` for one entry of a tuple.

    Attributes:
        name: the parameter of ``compute`` that it sets.
        label: what stands before it.
        low, high: the smallest and the largest value; both may follow from the parameters.
        index: of the entry.
        slider: a slider instead of a field.
        plays: milliseconds a step for a slider that moves on by itself; 0 for none. It stands
            below the picture, and after a prediction it plays from ``low``.
    """

    name: str
    label: str
    low: Limit
    high: Limit
    index: int | None = None
    slider: bool = False
    plays: int = 0

    @property
    def key(self) -> str:
        return self.name if self.index is None else f"{self.name}[{self.index}]"

    def get(self, params: Params) -> int:
        value = params[self.name]
        return value if self.index is None else value[self.index]

    def put(self, params: Params, value: int) -> dict[str, Any]:
        if self.index is None:
            return {**params, self.name: value}
        entries = list(params[self.name])
        entries[self.index] = value
        return {**params, self.name: tuple(entries)}

    def limits(self, params: Params) -> tuple[int, int]:
        """The smallest and the largest value now."""
        low, high = (end(params) if callable(end) else end for end in (self.low, self.high))
        return low, high

    def values(self, params: Params) -> range:
        """All that a reader can choose."""
        low, high = self.limits(params)
        return range(low, high + 1)

    def accepted(self, value: Any, params: Params) -> int:
        """The value, if it is an integer within the limits."""
        low, high = self.limits(params)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(
                f"{self.key} must be an integer in {low} .. {high}, but it is {value!r}."
            )
        return value

    def as_data(self, params: Params) -> dict[str, Any]:
        """What the panel needs to draw it."""
        low, high = self.limits(params)
        kind = "player" if self.plays else "slider" if self.slider else "number"
        return {"kind": kind, "low": low, "high": high, "plays": self.plays}


@dataclass(frozen=True)
class Text(Control):
    """A field to type into. It answers after a short pause, at Enter, and to its button.

    Attributes:
        name: the parameter of ``compute`` that it sets.
        label: what stands before it.
        hint: what can be typed; it stands below the field.
        button: what the button says.
        examples: texts that a button puts into the field.
    """

    name: str
    label: str
    hint: str
    button: str
    examples: Sequence[str] = ()

    def values(self, params: Params) -> list[str]:
        """What can be chosen without typing."""
        return list(self.examples)

    def accepted(self, value: Any, params: Params) -> str:
        """Any text."""
        if not isinstance(value, str):
            raise ValueError(f"{self.name} must be a text, but it is {value!r}.")
        return value

    def as_data(self, params: Params) -> dict[str, Any]:
        """What the panel needs to draw it."""
        options = [{"text": text, "value": text} for text in self.examples]
        return {"kind": "text", "hint": self.hint, "button": self.button, "options": options}
