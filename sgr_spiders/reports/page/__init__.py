"""The report of a harvest: one page that opens from disk, with everything it needs inside."""
