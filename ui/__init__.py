"""What people and programs see of Rawi: the chat page and the HTTP interface."""
