"""What of the LSTM operator a runtime can do: right, wrong, refused or crashed, a feature at a time."""
