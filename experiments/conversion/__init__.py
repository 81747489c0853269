"""Released checkpoints of the paper's authors turned into runs of this project."""
