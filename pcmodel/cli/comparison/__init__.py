"""`pcmodel compare`: several models fitted to one data set, and which of them predicts.

- `command`   its arguments, its plan, and the parts of the run
- `tables`    comparison.csv and people.csv
- `page`      its report
- `figures`   the pictures of the report
"""
