"""One module per output; each writes finished bytes and knows no format."""
