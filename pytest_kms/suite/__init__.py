"""What a whole run leaves behind: one file for each option that asks for something."""
