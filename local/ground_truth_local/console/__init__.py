"""The author's console: jobs, results, disagreement, logs, for whoever set a labeling job up.

It reads through AWS's own APIs with the credentials it is given, so it works on a real account as well.
"""
