"""A server whose behaviour is declared, and which writes down the truth of each request, to hold load generators to it.

`behaviours` is the table, `script` turns a behaviour and a request into what is written when, `server` plays it in a
process of its own, `truth` computes the statistics of what really happened, `judge` compares a measured level with it.
"""
