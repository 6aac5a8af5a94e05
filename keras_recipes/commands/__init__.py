"""What each command does, one function a file; the command line and Python both call these."""
