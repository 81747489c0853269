"""Files of one's own -> a batch of one sample, whatever the data set."""
