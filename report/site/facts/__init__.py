"""Named facts: the numbers and decisions that pages state, found here and worded in templates/."""
