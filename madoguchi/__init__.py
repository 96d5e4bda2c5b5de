"""What all parts share: the command, our codes, the 12-digit rule, what crosses the wire, the texts."""
