"""Pages of matching. Every part that htmx pulls into another page is a page of its own."""
