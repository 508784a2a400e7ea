"""Evaluation of recommenders on held-out likes."""
