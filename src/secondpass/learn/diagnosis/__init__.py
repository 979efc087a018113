"""What is wrong with a training, each by its name and with what to do: seen in its history, its data and by trying."""
