"""Studies: packages of a harvest that can be published, repeated and cited."""
