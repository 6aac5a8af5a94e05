"""What people get to see: tables, pictures, progress."""
