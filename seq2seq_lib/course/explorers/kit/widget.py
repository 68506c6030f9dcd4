"""What explorers share: predict, then reveal; named states; locks; a filmstrip without a kernel.

An explorer is a pure ``compute(**params) -> Result``, a pure ``draw(Result) -> str`` and an
``Explorer`` that lists its states and controls. ``Explorer.open`` makes a widget of it where one
can work, and stills elsewhere: under nbgrader, and without a kernel.

Controls are number fields, buttons, and sliders, which may play by themselves. All of them can be
used from the keyboard in JupyterLab (Tab, arrows, Space); drop-down lists and radio buttons cannot,
because there the notebook takes the arrow keys.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

from seq2seq_lib.course.explorers.kit import svg

SKIPPED = "skipped"  # instead of a prediction: the picture is open, nothing was predicted
NOTE = (
    "A still of an interactive figure: run the cell in JupyterLab to predict first, and to move it."
)


@dataclass(frozen=True)
class Choice:
    """A row of buttons, one of them pressed.

    Attributes:
        name: the parameter of ``compute`` that it sets.
        label: what stands before it.
        options: text of each button -> value of the parameter.
    """

    name: str
    label: str
    options: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Names the control among all of an explorer."""
        return self.name

    def get(self, params: Mapping[str, Any]) -> Any:
        """Its value among the parameters."""
        return params[self.name]

    def put(self, params: Mapping[str, Any], value: Any) -> dict[str, Any]:
        """The parameters with its value replaced."""
        return {**params, self.name: value}


@dataclass(frozen=True)
class Number:
    """A field or a slider for an integer; with ``index`` for one entry of a tuple.

    Attributes:
        name: the parameter of ``compute`` that it sets.
        label: what stands before it.
        low, high: the smallest and the largest value; ``high`` may follow from the parameters.
        slider: a slider instead of a field.
        play: milliseconds a step: buttons before the slider move it on by themselves; 0 for none.
    """

    name: str
    label: str
    low: int
    high: int | Callable[[Mapping[str, Any]], int]
    index: int | None = None
    slider: bool = False
    play: int = 0

    @property
    def key(self) -> str:
        """Names the control among all of an explorer."""
        return self.name if self.index is None else f"{self.name}[{self.index}]"

    def get(self, params: Mapping[str, Any]) -> int:
        """Its value among the parameters."""
        value = params[self.name]
        return value if self.index is None else value[self.index]

    def put(self, params: Mapping[str, Any], value: int) -> dict[str, Any]:
        """The parameters with its value replaced."""
        if self.index is None:
            return {**params, self.name: value}
        entries = list(params[self.name])
        entries[self.index] = value
        return {**params, self.name: tuple(entries)}


@dataclass(frozen=True)
class State:
    """A named setting of all controls, and the caption of its picture."""

    caption: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Explorer:
    """Everything that makes an explorer.

    Attributes:
        name: stands in the saved output in place of the widget.
        compute: all parameters by keyword, and ``prediction``: None hides what it is about,
            ``SKIPPED`` or one of ``predictions`` shows it.
        draw: a result -> SVG.
        states: by name; the first is the default. The first three make the filmstrip.
        controls: rows of controls, from the top.
        ask: stands before the buttons of the prediction.
        predictions: text of each button -> what ``compute`` gets. Both may follow from the
            parameters.
        question: what of the parameters the prediction is about: one prediction is asked for each.
        tidy: repairs parameters that do not fit each other, such as a width below a length; it
            also gets the names of the controls that are locked.
        idle: the names of the controls that would change nothing now: they are disabled.
    """

    name: str
    compute: Callable[..., Any]
    draw: Callable[[Any], str]
    states: Mapping[str, State]
    controls: Sequence[Sequence[Choice | Number]]
    ask: str | Callable[[Mapping[str, Any]], str]
    predictions: Mapping[str, str] | Callable[[Mapping[str, Any]], Mapping[str, str]]
    question: Callable[[Mapping[str, Any]], Any] = lambda params: None
    tidy: Callable[[dict[str, Any], Set[str]], dict[str, Any]] = lambda params, locked: params
    idle: Callable[[Mapping[str, Any]], Set[str]] = lambda params: frozenset()

    def open(self, state: str, lock: Sequence[str] = ()) -> Any:
        """The widget where one can work, the filmstrip elsewhere."""
        self.check(state, lock)
        return self.live(state, lock) if can_be_live() else self.still(state)

    def live(self, state: str, lock: Sequence[str] = ()) -> Any:
        """The widget, whether or not somebody can use it."""
        self.check(state, lock)
        return _widget_class()(self, state, frozenset(lock))

    def still(self, state: str) -> "Filmstrip":
        """The filmstrip for readers without a kernel."""
        self.check(state, ())
        return Filmstrip(self.name, self.filmstrip(state))

    def filmstrip(self, state: str) -> str:
        """The three first states, beginning with this one; any other state stands alone."""
        film = list(self.states)[:3]
        names = [state, *(name for name in film if name != state)] if state in film else [state]
        frames = [(self.states[name].caption, self.picture(name)) for name in names]
        return svg.filmstrip(frames, NOTE)

    def picture(self, state: str) -> str:
        """One state as SVG, everything shown."""
        return self.draw(self.compute(**self.states[state].params, prediction=SKIPPED))

    def all_controls(self) -> list[Choice | Number]:
        """The controls of all rows."""
        return [control for row in self.controls for control in row]

    def check(self, state: str, lock: Sequence[str]) -> None:
        if state not in self.states:
            raise ValueError(f"Unknown state: {state!r}. Valid: {_listed(self.states)}.")
        names = dict.fromkeys(control.name for control in self.all_controls())
        if isinstance(lock, str):
            raise TypeError(f"lock must be a list of controls, such as [{lock!r}], not a text.")
        for name in lock:
            if name not in names:
                raise ValueError(f"Unknown control in lock: {name!r}. Valid: {_listed(names)}.")


@dataclass(frozen=True)
class Filmstrip:
    """Pictures for readers who cannot run anything."""

    name: str
    svg: str

    def __repr__(self) -> str:
        return f"{self.name}()"

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self), "image/svg+xml": self.svg}


def can_be_live() -> bool:
    """Whether a widget would reach a reader: there is a kernel with comms, and nobody grades."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return False
    ipython = sys.modules.get("IPython")  # not imported: then this is no notebook
    kernel = getattr(ipython and ipython.get_ipython(), "kernel", None)
    return getattr(kernel, "comm_manager", None) is not None


@cache
def _widget_class():
    import ipywidgets as widgets

    class ExplorerBox(widgets.VBox):
        """Controls, a prediction, and the picture that follows them."""

        def __init__(self, explorer: Explorer, state: str, lock: frozenset[str]) -> None:
            self.explorer, self.opened, self.locked = explorer, state, lock
            self.params = dict(explorer.states[state].params)
            self.predictions: dict[Any, str] = {}  # by question
            self.skipping = self._updating = False
            self.inputs: dict[str, widgets.Widget] = {}  # by key
            self.players: dict[str, widgets.Play] = {}  # by key
            rows = []
            for controls in explorer.controls:
                row = []
                for control in controls:
                    widget = _input(control, self.params)
                    widget.observe(self._moved, names="value")
                    self.inputs[control.key] = widget
                    if isinstance(control, Number) and control.play:
                        self.players[control.key] = _player(control, widget)
                        row.append(self.players[control.key])
                    row.append(widget)
                rows.append(_row(row))
            self.guess = _buttons(
                _now(explorer.ask, self.params), _now(explorer.predictions, self.params), None
            )
            self.guess.observe(self._predicted, names="value")
            self.skip = widgets.Button(layout=widgets.Layout(width="auto"))
            self.skip.on_click(self._skip)
            self.picture = widgets.HTML()
            self._show()
            super().__init__([_row([self.guess, self.skip]), *rows, self.picture])

        @property
        def prediction(self) -> str | None:
            """What was predicted for what is shown; None if it is still asked for."""
            question = self.explorer.question(self.params)
            return self.predictions.get(question, SKIPPED if self.skipping else None)

        def _moved(self, _change) -> None:
            if self._updating:
                return
            params = self.params
            for control in self.explorer.all_controls():
                params = control.put(params, self.inputs[control.key].value)
            self.params = self.explorer.tidy(params, self.locked)
            self._refresh()

        def _predicted(self, change) -> None:
            if self._updating:
                return
            self.predictions[self.explorer.question(self.params)] = change["new"]
            self._refresh()

        def _skip(self, _button) -> None:
            self.skipping = not self.skipping
            if not self.skipping:
                self.predictions.clear()
            self._refresh()

        def _refresh(self) -> None:
            try:
                self._show()
            except Exception as error:  # an old picture under new controls would be a lie
                self.picture.value = svg.message(f"{type(error).__name__}: {error}")

        def _show(self) -> None:
            """Bring the controls and the picture up to the parameters."""
            self._updating = True
            try:
                disabled = self.locked | self.explorer.idle(self.params)
                for control in self.explorer.all_controls():
                    widget = self.inputs[control.key]
                    if isinstance(control, Number):
                        widget.max = _now(control.high, self.params)
                    widget.value = control.get(self.params)
                    widget.disabled = control.name in disabled
                prediction = self.prediction
                # equal options change nothing; other ones would press the first button
                self.guess.options = tuple(_now(self.explorer.predictions, self.params).items())
                self.guess.description = _now(self.explorer.ask, self.params)
                self.guess.value = None if prediction == SKIPPED else prediction
                self.skip.description = "Ask me again" if self.skipping else "Skip: just show me"
                result = self.explorer.compute(**self.params, prediction=prediction)
                self.picture.value = self.explorer.draw(result)
            finally:
                self._updating = False

        def _repr_mimebundle_(self, **kwargs):
            """Beside the live widget the filmstrip, for readers without a kernel.

            JupyterLab draws no SVG in a notebook that it does not trust yet: it shows the words.
            """
            bundle = super()._repr_mimebundle_(**kwargs)
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            still = self.explorer.still(self.opened)._repr_mimebundle_()
            words = f"{self.explorer.name}: run this cell to use it."
            return {**(data or {}), **still, "text/plain": words}, metadata

    def _row(children: list) -> widgets.Box:
        return widgets.Box(children, layout=_wrapping(overflow="visible"))

    def _wrapping(**more: str) -> widgets.Layout:
        return widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 8px", **more)

    def _buttons(label: str, options: Mapping[str, Any], value: Any) -> widgets.ToggleButtons:
        return widgets.ToggleButtons(
            options=list(options.items()),
            value=value,
            description=label,
            style={"button_width": "auto", "description_width": "initial"},
            # as they come, the label stands above the buttons
            layout=_wrapping(display="flex"),
        )

    def _input(control: Choice | Number, params: Mapping[str, Any]) -> widgets.Widget:
        value = control.get(params)
        if isinstance(control, Choice):
            return _buttons(control.label, control.options, value)
        shared = {
            "min": control.low,
            "max": _now(control.high, params),
            "value": value,
            "description": control.label,
            "style": {"description_width": "initial"},
        }
        if control.slider:
            return widgets.IntSlider(
                **shared, layout=widgets.Layout(width="28em", max_width="100%")
            )
        return widgets.BoundedIntText(
            **shared, layout=widgets.Layout(width="auto", max_width="9em")
        )

    def _player(control: Number, slider: widgets.Widget) -> widgets.Play:
        """Play, pause and stop for a slider. Without repeat: at the end it stops."""
        play = widgets.Play(
            interval=control.play,
            min=slider.min,
            max=slider.max,
            show_repeat=False,
            tooltip=f"play, or stop: {control.label}",
        )
        for trait in ("max", "value", "disabled"):
            widgets.link((slider, trait), (play, trait))
        return play

    return ExplorerBox


def _now(setting: Any, params: Mapping[str, Any]) -> Any:
    """A setting, or what it is for these parameters."""
    return setting(params) if callable(setting) else setting


def _listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in names)
