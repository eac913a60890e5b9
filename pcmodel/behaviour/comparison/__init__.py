"""Comparison of models at the level of a group: who follows which model, and how well each predicts.

- `evidence`          checks a table of persons x models
- `dirichlet`         probability that a model is the most frequent
- `random_effects`    random-effects Bayesian model selection
- `frequencies`       the same without its approximation, by importance sampling
- `weights`           stacking, and pseudo-BMA+
- `people`            a line per person: which model, by how much
- `left_out_people`   leave-one-person-out densities from one fit
- `out_of_time`       later trials predicted from earlier ones
- `scores`            differences of models, with standard errors and verdicts
- `study`             several models fitted to the same trials and compared
"""
