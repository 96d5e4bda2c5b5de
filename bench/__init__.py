"""What the program takes in time and memory: each figure beside the raw limit of the same run."""
