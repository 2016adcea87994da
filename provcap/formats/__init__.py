"""One module per text format; each turns records into finished messages."""
