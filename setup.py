"""Builds the egg that ``scrapyd-deploy`` uploads; everything it says stands in pyproject.toml."""

from setuptools import setup

setup()
