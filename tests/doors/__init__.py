"""What comes in at a door: generated inputs, each right, or refused in one sentence.

python -m tests.doors            # all of it: calls, commands, files; counts at the end
python -m tests.doors.arrays     # arrays in other dresses
"""
