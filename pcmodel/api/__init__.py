"""What a user calls: each call is checked, posed as a problem, mapped over examples, and answered.

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `record`, `networks`.
"""
