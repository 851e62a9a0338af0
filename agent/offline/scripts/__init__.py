"""What the offline model does about each kind of request."""
