"""Sabotages drawn at random over the core, and whether the default tests notice them.

    make mutants                      # all 200, resumed where it was cut
    make mutants ARGS="--sample 40"   # the first 40 of the same draw

`operators` says what a sabotage is, `sites` finds and draws them, `reach` knows which test files execute
which lines, `worker` runs tests in a fork of a process that has imported what the package needs,
`trial` puts one sabotage to the tests, `campaign` all of them, and `report` writes the table.
The work tree is never changed: every sabotage is written into a copy.
"""
