"""A rendered Sphinx book as one PDF, by the browser's own print."""
