"""The worker portal: people take tasks of labeling jobs, paint masks in the browser and submit them."""
