"""One reader a data set: from a folder in its owner's layout to rows of the `faces` table."""
