"""What people do with tracks, as models need it: a matrix, and its parts for training and for testing."""
