"""The change-point (helicopter) task: its trials, and the participant as a hierarchy over trials."""
