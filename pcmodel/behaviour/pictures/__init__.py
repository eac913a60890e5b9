"""Numbers of the pictures of a fit; nothing here draws.

- `conditions`       the words of conditions, and which series are of which
- `learning_curves`  responses over trials or around change points, with posterior predictive bands
- `people`           every person's parameters on their natural scale
- `trajectories`     beliefs and precisions of some people, with posterior bands
- `mixing`           draws of the numbers of the group that mix worst
- `words`            words in place of code names
- `of_a_fit`         all of them together
"""
