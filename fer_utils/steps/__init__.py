"""The expensive work: each step reads tables, does its work and writes tables (see `fer_utils.graph`)."""
