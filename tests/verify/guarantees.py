"""A question, and passages that answer it, differ, or speak of something else."""

TWO = "The guarantee on the Aurel kettle lasts two years from the date of purchase. It does not cover limescale."
FIVE = "The guarantee on the Aurel kettle lasts five years."
OTHER = "The kettle holds 1.7 litres and boils in three minutes."
QUESTION = "How long is the guarantee on the kettle?"
