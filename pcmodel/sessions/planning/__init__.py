"""How many people in each arm a study of a protocol needs to tell its rival explanations apart.

- `options`       the options of a plan, and its questions
- `explanations`  what is behind an effect: acute relaxation, the plasticity window, expectation
- `outcome`       what a study measures, and the function that simulates it
- `simulate`      that function for the people of `cohort`
- `likelihood`    log likelihood of each person's measurements under each explanation
- `studies`       how often studies of a size find the truth
- `rivals`        people simulated at every size of an effect and of its rival
- `power`         the whole computation
"""
