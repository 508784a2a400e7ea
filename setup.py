"""Places the packages; everything else about the project is in pyproject.toml.

The egg that ``scrapyd-deploy`` uploads has the packages of a checkout. A wheel is installed beside other
projects, so it has ``pipelines`` and ``configs`` in ``sgr_spiders`` (sgr_spiders/config/packages.py).
"""

import sys

from setuptools import find_packages, setup

OWN = "sgr_spiders"
BESIDE = ("pipelines", "configs")

is_egg = any(word.startswith("bdist_") and word.endswith("egg") for word in sys.argv)
names = find_packages(include=[f"{OWN}*"])
directories = {name: name for name in BESIDE} if is_egg else {f"{OWN}.{name}": name for name in BESIDE}

setup(
    # Neither may find what a build of the other has left.
    options={"build": {"build_base": f"build/{'egg' if is_egg else 'wheel'}"}},
    packages=[*names, *directories],
    package_dir=directories,
)
