"""Why a user has a badge, or has it not, as the API and the command line say it."""
