"""What a law is: a pure function of inputs and parameters, with a role for each parameter."""
