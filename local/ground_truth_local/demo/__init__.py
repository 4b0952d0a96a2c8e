"""`make demo`: the main job, from `cdk deploy` over labeling to masks, on the embedded AWS."""
