"""`pcmodel compare`: several models fitted to one data set, and which of them predicts.

- `command`   its arguments, its plan, and the parts of the run
- `finished`  the plans of fits that are already there
- `tables`    comparison.csv and people.csv
- `page`      its report
- `figures`   the pictures of the report
"""
