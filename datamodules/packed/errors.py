"""The one exception of this package."""


class DataError(ValueError):
    """Something is wrong with the data, and the user can put it right.

    The message names the file, what was expected, what was found and what to do.
    """
