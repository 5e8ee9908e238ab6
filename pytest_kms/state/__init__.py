"""What the fake remembers: keys, aliases, counts, faults, the audit trail, and the world that holds them."""
