"""Templates and values -> self-contained HTML pages: pictures and styles are inside."""
