"""The live panel: ``panel.js`` in a notebook, on anywidget. Python answers each move with a view.

Imported only where a panel is opened, because it needs anywidget and ipywidgets.
"""

from collections.abc import Set
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from seq2seq_lib.course.explorers.kit.explorer import Explorer, failure
from seq2seq_lib.course.explorers.kit.still import Still, display

HERE = Path(__file__).parent


class Panel(anywidget.AnyWidget):
    """The panel of one explorer.

    The browser sends ``{"control": key, "value": value, "ticket": n}`` and gets a new ``view`` with
    the same ticket. Predictions stay in the browser: nobody else reads them.

    Attributes:
        explorer, state, locked: as it was opened.
        params: of what is shown.
    """

    _esm = (HERE / "panel.js").read_text("utf-8")
    _css = (HERE / "panel.css").read_text("utf-8")
    spec = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, explorer: Explorer, state: str, locked: Set[str]) -> None:
        self.explorer, self.state, self.locked = explorer, state, locked
        self.params = explorer.params(state)
        # a state that fails is its author's mistake, so here it is not caught
        view = {**explorer.view(self.params), "ticket": 0}
        super().__init__(spec=explorer.spec(state, locked), view=view)
        self.on_msg(lambda _, message, buffers: self.move(message))

    def move(self, message: dict[str, Any]) -> None:
        """Answer one move of a reader."""
        try:
            params = self.explorer.move(
                self.params, message["control"], message["value"], self.locked
            )
            view = self.explorer.view(params)
            self.params = params
        except Exception as error:
            view = {**self.view, "open": failure(error), "veiled": failure(error)}
        self.view = {**view, "ticket": message["ticket"]}

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        live = bundle[0] if isinstance(bundle, tuple) else bundle
        display(Still.of(self.explorer, self.state), live)
