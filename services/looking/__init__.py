"""What operators look at, as the API and `--json` show it."""
