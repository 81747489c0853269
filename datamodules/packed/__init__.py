"""The packed form of any data set: written in parallel and resumably, opened, read as batches."""
