"""``python -m sgr_spiders``: the command ``soundgraph`` of a checkout."""

from sgr_spiders.cli.soundgraph import main

if __name__ == "__main__":
    main()
