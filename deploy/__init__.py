"""What is shipped beside the code: the data of the demo."""
