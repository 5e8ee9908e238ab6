"""What stands before every operation: one question a file, each a function that takes the call and returns or raises."""
