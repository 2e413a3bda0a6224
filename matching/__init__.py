"""Who fits which project, why, and what is missing. Imported by nobody below it."""
