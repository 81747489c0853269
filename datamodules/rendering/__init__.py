"""What the rendered samples of several data sets share."""
