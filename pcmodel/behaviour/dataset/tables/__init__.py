"""Tables as files: separators, quotation, BIDS folders, side-cars, and which rows are used."""
