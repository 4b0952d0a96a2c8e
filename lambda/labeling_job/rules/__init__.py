"""What Ground Truth's inputs have to be, written once: synth, the command and the handler run this code."""
