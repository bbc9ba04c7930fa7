"""Templates and values -> HTML pages that need nothing else: their pictures and styles are inside."""
