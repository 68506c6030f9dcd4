"""Timed comparisons: `make bench`. Nothing here is tested for its speed, only for running."""
