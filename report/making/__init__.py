"""What is made, in which order, and when it must be made again."""
