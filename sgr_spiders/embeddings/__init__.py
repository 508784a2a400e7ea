"""Vectors, recommendations and training data, from the interactions of users and tracks."""
