"""The comparisons of the side-by-side benchmark with a 1.1 B model on a GPU, on made-up rows."""
