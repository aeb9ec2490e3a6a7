"""The paths that ARM serves, by area; each handler takes the cloud, the request and the path's words."""
