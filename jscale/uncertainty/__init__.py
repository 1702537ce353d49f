"""From a fit to draws of its parameters: resampling and normal approximations, and noise."""
