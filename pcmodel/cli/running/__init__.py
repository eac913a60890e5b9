"""From a checked plan to a finished folder: preparing, computing, recording, stopping."""
