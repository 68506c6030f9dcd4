"""A course of one small chapter: what the engine of checks is tested with."""
