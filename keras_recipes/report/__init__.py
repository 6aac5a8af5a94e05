"""Output for people: tables, pictures and progress bars."""
