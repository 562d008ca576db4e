"""What is kept of one user, and its arithmetic."""
