"""Speed of computing, reading and writing relationships, compared with other methods."""
