"""Commands of the command line, one a module; sweep/cli.py registers them."""
