"""The main job's study of participants: fits, rivals, and how many people tell them apart."""
