"""What is missing for a badge, as the API and the command line say it."""
