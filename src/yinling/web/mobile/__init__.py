"""Pages for the phones of carers."""
