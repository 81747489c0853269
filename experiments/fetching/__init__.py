"""Raw data sets: fetched from public records, or looked at where they have to be asked for."""
