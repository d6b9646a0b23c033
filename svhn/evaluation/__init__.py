"""Exact metrics over a split, and the reports about them."""
