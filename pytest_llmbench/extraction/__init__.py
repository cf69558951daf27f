"""Layer 1: from the text of a reply to the files in it. Pure."""
