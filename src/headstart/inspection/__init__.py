"""What is wrong with a collection of labelled photos: damaged files, copies, leaks, shortcuts, doubtful labels,
outliers.

`inspect_collection` (collection.py) is the whole of it; it asks files (headers), shortcuts (properties, borders),
suspected_groups, duplicate_cache (duplicates, image_match), label_issues, outliers, leaks and class_sizes, and returns
an Inspection (report.py), which writing.py and page.py write. Knows no training, no run and no command.
"""
