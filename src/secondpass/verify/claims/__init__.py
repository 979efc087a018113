"""What an answer claims: its sentences, taken apart, with their places and their citations."""
