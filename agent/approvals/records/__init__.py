"""The statements of the ledger's transactions, a module for each of its tables."""
