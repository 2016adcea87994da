"""One module per command: parse words, call one function, print."""
