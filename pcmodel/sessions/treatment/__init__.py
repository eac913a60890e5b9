"""What an arm does to people, whatever they believe: acute effects, blinding, the plasticity window.

- `acute`     effects of the drugs at the moments of the events
- `blinding`  what people think they were given
- `windows`   how much faster they learn
- `treat`     all of these for every arm
"""

from pcmodel.sessions.treatment.treat import DEFAULT_ACCOUNT as DEFAULT_ACCOUNT
