"""Interactive charts of tidy tables, as Vega-Lite specifications beside the tables' CSV files."""
