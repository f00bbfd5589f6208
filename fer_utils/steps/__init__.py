"""The expensive work, one module a step; each reads tables, does its work and writes tables."""
