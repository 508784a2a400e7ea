"""Communities: groups of nodes with more pairs between them than chance gives."""
