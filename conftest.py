"""Load the tolerant comparison of notebooks for every way of calling pytest."""

pytest_plugins = ["book._tools.nbval_tolerance"]
