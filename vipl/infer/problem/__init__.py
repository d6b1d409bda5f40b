"""What is to be fitted: model and guide as functions of parameters and data, and where the parameters start."""
