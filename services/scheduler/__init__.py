"""What the calendar starts: anniversaries, counts of holders, sweeps, pruning."""
