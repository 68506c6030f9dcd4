"""Figures: what is drawn is what was given, and nothing is left behind."""

import base64
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
import torch

from seq2seq_lib import plots

SOURCE = ["the", " ", "cat", "$5", "$", "end"]
NAN = float("nan")
TARGET = ["die", "katze", "."]


def weights(rows: int, columns: int) -> torch.Tensor:
    return torch.softmax(torch.randn(rows, columns, generator=torch.manual_seed(3)), -1)


def line(ax, label: str):
    (found,) = [line for line in ax.lines if line.get_label() == label]
    return found


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def one_of_each():
    yield plots.attention_heatmap(weights(3, 6), SOURCE, TARGET)
    yield plots.loss_curves([1.2, 0.5], [1.0, 0.4], floor=0.1)
    yield plots.curves([1, 2], {"a": [3, 4], "b": [4, 3]}, xlabel="x", ylabel="y", title="Two")


# ---------------------------------------------------------------- each figure


def test_heatmap_shows_the_weights_a_row_an_output_token():
    given = weights(3, 6)
    ax = plots.attention_heatmap(given, SOURCE, TARGET)
    (image,) = ax.images
    assert image.get_array().shape == (3, 6)
    np.testing.assert_array_equal(image.get_array(), given.numpy())
    assert image.get_clim() == (0, 1), "the same shade must mean the same weight in every figure"
    assert image.origin == "upper", "the first output token belongs to the top"


def test_heatmap_labels_every_token_at_its_place():
    ax = plots.attention_heatmap(weights(3, 6), SOURCE, TARGET, title="Found")
    assert ax.get_title() == "Found"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("source token", "output token")
    assert list(ax.get_xticks()) == list(range(6)) and list(ax.get_yticks()) == list(range(3))
    shown = [label.get_text() for label in ax.get_xticklabels()]
    assert shown == ["the", "␣", "cat", r"\$5", r"\$", "end"]
    assert [label.get_text() for label in ax.get_yticklabels()] == TARGET
    (colorbar,) = [other for other in ax.figure.axes if other is not ax]
    assert colorbar.get_ylabel() == "weight"


def test_dollars_are_drawn_as_dollars_and_not_as_formulas():
    token = r"$\notacommand$"  # matplotlib would raise for this formula
    ax = plots.attention_heatmap(torch.ones(1, 1), [token], [token])
    ax.figure.draw_without_rendering()
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        assert label.get_text().replace(r"\$", "$") == token


@pytest.mark.parametrize(("tokens", "angle"), [(["a", "end"], 0), (["a", "ends"], 60)])
def test_long_tokens_are_slanted_and_short_ones_are_not(tokens, angle):
    ax = plots.attention_heatmap(weights(1, 2), tokens, ["x"])
    ax.figure.draw_without_rendering()
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {angle}


def test_no_label_of_a_heatmap_is_cut_off():
    long = ["donaudampfschifffahrt"] * 7
    ax = plots.attention_heatmap(weights(7, 7), long, long)
    ax.figure.draw_without_rendering()
    frame = ax.figure.bbox
    for label in [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title, ax.xaxis.label]:
        box = label.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, label
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, label


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_heatmap_takes_any_precision_and_tensors_that_need_gradients(dtype):
    given = weights(3, 6).to(dtype).requires_grad_()
    ax = plots.attention_heatmap(given, SOURCE, TARGET)
    np.testing.assert_array_equal(ax.images[0].get_array(), given.detach().float().numpy())


@pytest.mark.parametrize("shape", [(6, 3), (3, 5), (1, 3, 6), (3,)])
def test_heatmap_refuses_weights_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"\[T, S\] = \[3, 6\].*but they are"):
        plots.attention_heatmap(torch.rand(shape), SOURCE, TARGET)


@pytest.mark.parametrize("wrong", [NAN, float("inf"), -0.1, 1.1])
def test_a_heatmap_of_what_are_no_weights_is_refused(wrong):
    """NaN would be as white as 0, and scores before the softmax would be cut to 0 and 1."""
    given = weights(3, 6)
    given[1, 2] = wrong
    with pytest.raises(ValueError, match=r"weights must be in 0 \.\. 1, but they are from"):
        plots.attention_heatmap(given, SOURCE, TARGET)
    for other in (given.numpy(), given.tolist(), given > 0):
        with pytest.raises(TypeError, match="weights must be a tensor of floats"):
            plots.attention_heatmap(other, SOURCE, TARGET)


def test_heatmap_of_an_empty_answer_is_refused():
    with pytest.raises(ValueError, match="no tokens"):
        plots.attention_heatmap(torch.rand(0, 6), SOURCE, [])


def test_loss_curves_draw_what_was_measured():
    ax = plots.loss_curves([1.2, 0.5, 0.2], [1.0, None, 0.3], floor=0.15, title="It learns")
    np.testing.assert_array_equal(line(ax, "training").get_xydata(), [[1, 1.2], [2, 0.5], [3, 0.2]])
    # an epoch that was not measured is a gap
    np.testing.assert_array_equal(line(ax, "validation").get_xydata(), [[1, 1], [2, NAN], [3, 0.3]])
    assert set(line(ax, "entropy of the task").get_ydata()) == {0.15}
    assert legend(ax) == ["training", "validation", "entropy of the task"]
    assert ax.get_title() == "It learns"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats a token)")


def test_loss_curves_leave_out_what_is_not_there():
    assert legend(plots.loss_curves([1.2, 0.5], [None, None])) == ["training"]


@pytest.mark.parametrize("losses", [[0.7], [3.0, 2.0], [0.0], [5 / (n + 1) for n in range(40)]])
def test_loss_axis_holds_every_marker_and_a_floor_of_zero(losses):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.loss_curves(losses, [0.0] * len(losses), floor=0.0)
        ax.figure.draw_without_rendering()
    low, high = ax.get_ylim()
    assert low < 0 < high and high > max(losses)


@pytest.mark.parametrize("losses", [[NAN], [float("inf"), NAN], [NAN, 3.0, 1.0], [-5.0, NAN, -6.0]])
def test_a_loss_that_went_wrong_can_be_looked_at(losses):
    """A run that diverged, or a negative "loss": the axis holds what is finite, and ascends."""
    ax = plots.loss_curves(losses, [None] * len(losses))
    low, high = ax.get_ylim()
    assert low < high and all(low < v < high for v in losses if np.isfinite(v))
    np.testing.assert_array_equal(line(ax, "training").get_ydata(), losses)


@pytest.mark.parametrize("epochs", [1, 2, 3, 40])
def test_epochs_are_whole_numbers(epochs):
    ticks = plots.loss_curves([1.0] * epochs, [1.0] * epochs).get_xticks()
    assert all(tick == round(tick) for tick in ticks) and len(ticks) <= 12


def test_curves_draw_each_series_in_its_own_style():
    series = {"greedy": [1.0, 2.0], "exhaustive": [10.0, 100.0]}
    ax = plots.curves([3, 5], series, xlabel="T", ylabel="cost", title="Costs", log_y=True)
    for name, y in series.items():
        np.testing.assert_array_equal(line(ax, name).get_xydata(), [[3, y[0]], [5, y[1]]])
    styles = {(drawn.get_color(), drawn.get_linestyle(), drawn.get_marker()) for drawn in ax.lines}
    assert len(styles) == 2 and all(len(set(part)) == 2 for part in zip(*styles, strict=True))
    assert legend(ax) == list(series)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("T", "cost", "Costs")
    assert ax.get_yscale() == "log"
    named = {"x": [1], "what": [2]}
    ax = plots.curves([1], named, xlabel="", ylabel="")
    assert ax.get_yscale() == "linear" and legend(ax) == list(named)


def test_curves_refuse_what_they_cannot_draw():
    with pytest.raises(ValueError, match="equally many points, at least one"):
        plots.curves([1, 2], {"a": [1]}, xlabel="", ylabel="")
    with pytest.raises(ValueError, match="At most 5 lines"):
        plots.curves([1], {str(i): [i] for i in range(6)}, xlabel="", ylabel="")


@pytest.mark.parametrize(("train", "valid"), [([1, 2], [1]), ([1], [1, 2]), ([], [])])
def test_loss_curves_refuse_epochs_that_do_not_match(train, valid):
    with pytest.raises(ValueError, match="equally many epochs, at least one"):
        plots.loss_curves(train, valid)


def test_lines_differ_in_more_than_colour():
    for ax in one_of_each():
        styles = [(line.get_linestyle(), line.get_marker()) for line in ax.lines]
        assert len(set(styles)) == len(styles)


# ---------------------------------------------------------------- no global state


def test_axes_that_are_given_are_drawn_on():
    for draw in (
        lambda ax: plots.attention_heatmap(torch.ones(1, 1), ["a"], ["b"], ax=ax),
        lambda ax: plots.loss_curves([1.0], [1.0], ax=ax),
        lambda ax: plots.curves([0], {"a": [0.1]}, xlabel="x", ylabel="y", ax=ax),
    ):
        ax = plots.new_axes()
        assert draw(ax) is ax


def test_each_figure_is_its_own():
    figures = [ax.figure for ax in one_of_each()] + [ax.figure for ax in one_of_each()]
    assert len({id(figure) for figure in figures}) == len(figures)


def test_settings_of_matplotlib_are_left_alone():
    before = dict(matplotlib.rcParams)
    for ax in one_of_each():
        ax.figure.draw_without_rendering()
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_imported_and_matplotlib_only_when_something_is_drawn():
    code = (
        "import sys; from seq2seq_lib import plots; assert 'matplotlib' not in sys.modules\n"
        "ax = plots.loss_curves([1.0], [0.9]); plots.show(ax.figure, 'A loss.')\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "[Figure: A loss.]\n"), run.stderr


# ---------------------------------------------------------------- show


@pytest.fixture
def notebook():
    """An IPython shell, as a notebook has one; what is displayed can be captured."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    quiet = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(config=quiet)
    yield shell
    shell.restore_sys_module_state()
    InteractiveShell.clear_instance()


def displayed(figure, alt):
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        plots.show(figure, alt)
    assert captured.stdout == ""
    return [output._repr_mimebundle_() for output in captured.outputs]


def test_show_displays_a_png_and_its_text_alternative(notebook):
    ax = plots.loss_curves([1.2, 0.5], [1.0, 0.4])
    (data, metadata), _ = displayed(ax.figure, "The loss falls.")
    assert set(data) == {"image/png", "text/plain"}
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    assert data["text/plain"] == "[Figure: The loss falls.]"
    assert metadata == {"image/png": {"alt": "The loss falls."}}


def test_the_text_can_be_read_where_the_metadata_are_ignored(notebook):
    _, (words, _) = displayed(plots.new_axes().figure, "Falls to <0.1 & stays.")
    assert set(words) == {"text/html"}, "in a terminal the text is printed once, not twice"
    assert words["text/html"].startswith("<details><summary>")  # folded
    assert words["text/html"].endswith("<p>Falls to &lt;0.1 &amp; stays.</p></details>")


def test_the_same_figure_gives_the_same_bytes(notebook):
    bundles = [[displayed(ax.figure, "x") for ax in one_of_each()] for _ in range(2)]
    assert bundles[0] == bundles[1]
    png = base64.b64decode(bundles[0][0][0][0]["image/png"])
    assert b"Software" not in png, "matplotlib's version would change every figure at every update"


@pytest.mark.parametrize("alt", ["", " \n"])
def test_a_figure_without_a_text_alternative_is_refused(alt):
    with pytest.raises(ValueError, match="alt is empty"):
        plots.show(plots.new_axes().figure, alt)


def test_a_script_prints_the_text_and_not_the_bytes(capsys):
    plots.show(plots.new_axes().figure, "Nothing yet.")
    assert capsys.readouterr().out == "[Figure: Nothing yet.]\n"


# ---------------------------------------------------------------- several axes


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_a_grid_gives_its_axes_row_by_row_on_one_figure(rows, columns):
    axes = plots.axes_grid(rows, columns, 8, 3)
    assert len(axes) == rows * columns == len(axes[0].figure.axes)
    assert axes == axes[0].figure.axes, "the order is that of reading"
    assert tuple(axes[0].figure.get_size_inches()) == (8, 3)
