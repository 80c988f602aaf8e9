"""A report in one HTML file: charts, tables and where they come from."""
