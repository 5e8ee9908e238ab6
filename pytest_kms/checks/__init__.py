"""What stands before every operation: one question a file. A check takes the call and returns or raises."""
