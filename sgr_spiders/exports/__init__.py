"""Files for other tools, out of what lies in the database: tables, what models learn from, graphs."""
