"""What is made of a fit for people and for other libraries: tables, figures, ArviZ."""
