"""xdist: the workers, their channel to the controller, and attempts that stay whole."""
