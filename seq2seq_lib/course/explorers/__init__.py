"""Interactive figures: a pure ``compute``, a pure ``draw`` to SVG, a thin widget around both."""
