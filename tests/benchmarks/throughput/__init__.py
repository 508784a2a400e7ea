"""Pages a second of a harvest against a spider that only fetches; ``__main__`` says how to run it."""
