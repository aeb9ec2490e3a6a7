"""A real Git server (git http-backend) whose hook sends signed push webhooks."""
