"""Numbers only: each module measures one promise and returns its figures. ``./run bench`` lists them."""
