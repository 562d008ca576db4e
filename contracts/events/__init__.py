"""One module per noun: what each event says."""
