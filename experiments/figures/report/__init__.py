"""One page that shows what lies below a folder of results."""
