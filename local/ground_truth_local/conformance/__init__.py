"""What AWS is known to answer, as data, held against the embedded AWS or against a real account."""
