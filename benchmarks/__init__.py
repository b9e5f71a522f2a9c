"""Speed, memory and size, side by side with what one would use instead: `make bench`.

One file a comparison, in the order in which they run: `recording_cost`, `network_gif`, `main_job` (of `our_way` against
`first_way`, programs of their own), `study_speed`, `waiting`, `device_steps`, `analysis_speed`, `player_frames`,
`sizes`. `measure` holds the stop-watch, `material` what several of them work on, `vision` parts of torchvision,
`serving` a host of static files, `chromium` the browser. `lighthouse` audits every page and is run by itself.
"""
