"""Raw data set -> packed data set: decoded once, in parallel, resumable, described in full."""
