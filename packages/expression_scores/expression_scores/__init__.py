"""Scores of classifiers of facial expressions on faces of persons: metrics, intervals, tests between groups of persons."""
