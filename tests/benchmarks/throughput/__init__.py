"""Pages per second of a harvest and of a spider that only fetches; ``__main__`` describes how to run it."""
