"""What a finished run makes of files of one's own."""
