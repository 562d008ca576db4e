"""What is beyond what history makes likely: found once a day, told when it begins and when it ends."""
