"""What a report on anyone's own network states: `build/facts.json`, from results, tables and notes of its recordings.

Everything is there in every report; what does not exist is null, and what there is none of is an empty list. Numbers
are plain numbers (shares are fractions, sizes are weight units, lengths are steps); words are the templates'. An
*estimate* is {`mean`, `low`, `high`, `n`}: over the recordings of a label, the ends (95 %, Student's t) null where
there is one recording. Facts, sections and figures of tensors stand in the order of the main recording.

`report`, what was recorded:

- `main` {`name`, `label`, `slug`}: the recording that histories and pictures are of;
- `is_one`: one recording in all; `has_seeds`: a label with several; `has_labels`: several labels; `is_paired`: at
  least two labels share two seeds or more;
- `is_growing`: a recording still grows, or was killed; `steps` {`low`, `high`}: of the recordings; `compared`: steps
  that all of them have, over which streaks are measured; `every`: steps from one recorded row to the next;
- `tensors`, `trained` (had a gradient), `weights` (entries of the model), `kept` (recorded entries), `is_sampled`;
- `labels` [...], the main one first: `label`, `slug`, `is_main`, `seeds` [seed or null], `steps`, `taken`, `skipped`, `lost`
  (each {`low`, `high`} over its recordings; `skipped` by a GradScaler, `lost`: taken and not recorded, though they should
  have been), `recordings` [{`name`, `seed`, `steps`, `taken`, `skipped`, `lost`, `ended`, `is_growing`, `stopped_at` (the
  step with the first number that is not finite, or null)}], `optimizers` [group, ...], `notes` [{`kind`, `text`, `step`, `tensors`,
  `recording`}]: what the recorder noted, in its words, English;
- a group of an optimizer: `number` (from 1), `optimizer` (class), `position`, `index`, `tensors` (how many),
  `momentum` (β, 0 without; null where it varies), `lr` and `weight_decay` {`first`, `last`, `lowest`, `highest`,
  `is_constant`} or null, `is_decoupled` (its weight decay pulls weights to zero, as in AdamW), `formula` {`run` (steps),
  `agreement`, `flip_rate`} or null where no formula describes it, `is_tossed` (a sign toss can be replayed),
  `settled` (steps of start-up that settled numbers leave out: 10 / (1 - β)).

`standout` [...], worst first, each by a rule of `report.analysis.standout`:

- `rule`: its name, and the key of its words: [standout] `<rule>` and `<rule>_reason` in own.toml, filled with all of this;
- `level`: "error", "warning" or "note"; `tensor`: name, or null; `anchor`: "t12", or null; `module`;
- `label`, `slug`, `is_labelled` (the report has several labels); `holds`, `of`: in how many of the label's recordings;
- `more` [{`tensor`, `anchor`}]: other tensors of the label for which the rule speaks, less badly; `said` counts them;
- `numbers` {...}: those of the rule, its constants among them; `source` {`title`, `url`} or null;
- `said`, `reason`: {language: the sentence}, plain text. Nothing else is to be worded by a template.

`checked`: names of the rules that found nothing.

`tensors` [...]:

- `name`, `names`, `number` (from 1), `anchor` ("t12"), `module` ("blocks.0", "" at the top), `leaf` (the rest of the
  name), `kind` (class of the module), `shape` [sizes], `matrix` [rows, columns], `size` (entries), `kept` ("whole" or
  "sample"), `count` (entries recorded), `measured` (entries that streaks are measured on), `dtype`, `is_low_precision`
  (bfloat16, float16), `group` (number), `since` (steps before it was held), `from` (first step with a gradient, or
  null), `gradient_steps`, `has_gradient`, `is_pictured` (it has figures), `standout` [indices into `standout`],
  `window` {`first`, `last`, `is_settled`}: the steps, counted over those with a gradient, that `numbers` are of, where
  start-up is left out if enough steps follow;
- `numbers` [{`label`, `slug`, `values`}], a label each: `values` has estimates, null where there is none, of
  `rms` (of updates), `ratio` (RMS(Δ)/RMS(w), geometric mean over all steps), `ratio_last` (over the last tenth), `run` (mean same-sign
  run), `toss` (of its sign toss), `over` (run / toss), `lag_1`, `lag_10` (correlation of updates), `gradients_lag_1`,
  `agreement`, `zero_gradients` (share), `coasting` (share of updates), `lost` (share of wished-for updates), `never_moved`
  (entries, over all steps), `dead` (entries without any gradient), `dead_rows`, `dead_columns` (null of vectors and samples);
- `chance` {`run`, `agreement`, `lag_1`}: by the formula, of the main label, each or null;
- `figures` {`measures`, `weights`}: names in the manifest ("t12-measures", "t12-weights"), or null: not pictured;
- `tables` [{`kind`, `path`}]: its CSV files below build/, `kind` one of "steps", "histogram", "correlation", "lengths", "raster",
  "weights"; [] where it is not pictured. `tables/own_tensors.csv` has the numbers of every tensor.

`modules` [{`name`, `tensors` [number], `size`, `is_pictured`}]: the tensors by module, for folding.

`figures` {`heat`, `persistence`, `rates`, `series`}: names in the manifest ("own-heat", "own-persistence", "own-rates",
"own-series"), null where there is nothing to draw. `pictures` {`most`, `count`, `is_all`}: how many tensors are pictured.

`series` [{`name`, `label`, `slug`, `recording`, `count`, `first`, `last`, `lowest`, `highest`, `last_step`}]: what was logged.

`chance` {`kinds`: ["formula", "toss"] those that there are, `is_mixed` (tensors with different formulas), `untossed`
[names of tensors of which no sign toss can be replayed], `undescribed` [names without a formula]}.

`rules` {name: constant}: the constants of `report.analysis.standout`, which the page Method states; `healthy` {`low`,
`usual`, `high`}: the band of RMS(Δ)/RMS(w).
"""
