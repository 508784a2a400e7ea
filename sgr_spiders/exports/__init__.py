"""Exports of the database for other tools: tables, training data and graphs."""
