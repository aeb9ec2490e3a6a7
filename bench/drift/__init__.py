"""How good drift is: a labelled estate with every class of noise, edited by hand, and the score."""
