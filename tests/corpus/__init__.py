"""Inputs of labeling jobs, broken in one way each or odd but good; tests of several rooms use them."""
