"""All input and output: stores, worker, relay, api, command line."""
