import { defineErrors } from '../lib/errors.ts'

export const pipelineErrors = defineErrors({
  inputs_unbound: {
    status: 422,
    title: 'No feature answers some inputs of the model',
    action:
      'Name a feature for each input that the message lists (`--input INPUT=FEATURE`), or declare the features that are missing.',
  },
  adopted_unmeasured: {
    status: 422,
    title: 'The model has no chance for some of the rows that it is measured on',
    action:
      'Let the graph fill in missing values itself (an imputer before the model), or give what the message says.',
  },
  outside_model_unasked: {
    status: 409,
    title: 'A model that is computed elsewhere cannot be asked here',
    action: 'Take a version that Assay computes itself, or do it where the home of the model is.',
  },
  test_rows_missing: {
    status: 409,
    title: 'There is no data to measure the model on',
    action: 'Run the project once (`assay run`), or ingest its files (`assay ingest`).',
  },
  learn_request_invalid: {
    status: 422,
    title: 'What is to be learnt from the file is not clear',
    action: 'Name columns as the file does; `assay learn --help` shows the options.',
  },
  version_not_reproducible: {
    status: 409,
    title: 'The version cannot be trained again from here',
    action: 'Bring back what the message names; the record of the version says what it was.',
  },
  base_not_rebuilt: {
    status: 409,
    title: 'A lost base of live state cannot be made again',
    action:
      'Put the file `decide/NAMESPACE/state/base-…` back from a backup; the message says what is missing or differs.',
  },
  learning_full: {
    status: 429,
    title: 'Too much waits to be learnt',
    action: 'Wait until some of it is done, or stop what is not needed any more.',
  },
  backtest_empty: {
    status: 409,
    title: 'There is nothing to back-test on',
    action:
      'Choose another period; bring its events with `assay ingest`, if they are not here yet.',
  },
  backtest_too_long: {
    status: 422,
    title: 'The period is too long for one back-test',
    action: 'Choose a shorter period.',
  },
  backtests_full: {
    status: 429,
    title: 'Too many back-tests wait',
    action: 'Wait until some of them are done, or cancel what is not needed any more.',
  },
  pipeline_invalid: {
    status: 422,
    title: 'A pipeline is declared wrongly',
    action: 'Mend the declaration as the message says; nothing was run.',
  },
  pipeline_unknown: {
    status: 404,
    title: 'There is no such pipeline, step or run',
    action: 'Take a name that `assay pipelines list`, `show` or `runs` gives.',
  },
  pipeline_value_invalid: {
    status: 422,
    title: 'A parameter, partition or input of a pipeline is not what it declares',
    action: 'Look at `assay pipelines show NAME`, which says what it takes.',
  },
  pipeline_input_missing: {
    status: 409,
    title: 'What a pipeline reads is not there',
    action: 'Put the file in its place, or run the pipeline that makes the product first.',
  },
  pipeline_runs_full: {
    status: 429,
    title: 'Too many pipeline runs wait',
    action: 'Wait until some have ended, or cancel what is not needed any more.',
  },
  pipeline_run_ended: {
    status: 409,
    title: 'The pipeline run has ended',
    action: 'Start another run; steps that are unchanged are not run again.',
  },
  pipeline_run_running: {
    status: 409,
    title: 'The pipeline run goes on already',
    action: 'Wait for its end, or cancel it with `assay pipelines cancel RUN`.',
  },
  approval_not_waiting: {
    status: 409,
    title: 'The step does not wait for an approval',
    action: 'Look at the run: it may have been answered or ended meanwhile.',
  },
  approval_forbidden: {
    status: 403,
    title: 'Approving takes a person with that right',
    action: 'Ask an approver, or let an administrator give the role.',
  },
  approval_own_run: {
    status: 403,
    title: 'Who started a run does not approve it',
    action: 'Ask another person with the right to approve.',
  },
  pipeline_list_damaged: {
    status: 500,
    title: 'The list of the files of a kept folder was changed on disk',
    action:
      'Restore the file from a backup, or run its step anew with --from; results are not removed until then.',
  },
  pipeline_step_failed: {
    status: 422,
    title: 'A step of the pipeline failed',
    action: 'Read its log, mend what is wrong and run again: steps that are done are not run anew.',
  },
})
