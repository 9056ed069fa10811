/** What can be wrong with feature declarations and states, and what to do about it. */
import { defineErrors } from '../lib/errors.ts'

export const fail = defineErrors({
  feature_invalid: {
    status: 422,
    title: 'A feature is not declared properly',
    action: 'Correct the feature that the message names, in the project’s feature declarations.',
  },
  feature_set_invalid: {
    status: 422,
    title: 'A feature set is not declared properly',
    action: 'Correct the feature set that the message names, in the project’s declarations.',
  },
  graph_snapshots_invalid: {
    status: 422,
    title: 'Dated snapshots of a graph are not declared properly',
    action: 'Correct the snapshots that the message names, in the project’s declarations.',
  },
  feature_sets_conflict: {
    status: 422,
    title: 'Feature sets do not fit together',
    action: 'Rename one of the two features, or declare both sets on the same source.',
  },
  feature_source_mismatch: {
    status: 409,
    title: 'The feature set was compiled for another contract of its source',
    action: 'Compile the feature set again with the source as it is declared now.',
  },
  feature_unknown: {
    status: 404,
    title: 'There is no such feature',
    action: 'Choose one of the features that the message lists.',
  },
  online_set_unknown: {
    status: 404,
    title: 'No such online values are kept',
    action: 'Publish the values of this version, or read the version that is published now.',
  },
  online_set_invalid: {
    status: 422,
    title: 'Online values cannot be kept under this declaration',
    action: 'Correct the name, version, key columns, features or time to live that it names.',
  },
  online_set_conflict: {
    status: 409,
    title: 'Online values of this version hold other features',
    action: 'Publish them under the version of their own declaration, or retire the old ones.',
  },
  online_key_invalid: {
    status: 422,
    title: 'The key does not fit the entity',
    action: 'Give one value for each key column, a text or a whole number as the source declares.',
  },
  online_batch_too_large: {
    status: 413,
    title: 'Too many online values in one call',
    action: 'Split the call, as the message says.',
  },
  online_store_unavailable: {
    status: 503,
    title: 'The store of online values does not answer',
    action:
      'Check its address and that it runs; then try again, over HTTP after the time in Retry-After. Repeating a write does no harm.',
  },
  online_store_refused: {
    status: 500,
    title: 'The store of online values refuses what Assay asks of it',
    action: 'Correct the store’s address, password, rights or memory as the message says.',
  },
  online_value_damaged: {
    status: 500,
    title: 'Something else stands where online values belong',
    action: 'Remove the key that the message names and publish again; keep other programs away.',
  },
  feature_event_too_late: {
    status: 422,
    title: 'The event is too old for its features to be exact',
    action: 'Send events within the source’s declared lateness, or load older ones as history.',
  },
  feature_history_unsupported: {
    status: 422,
    title: 'The engine cannot calculate these features exactly',
    action: 'Let the rule choose the engine, or replay the events.',
  },
  feature_history_unordered: {
    status: 422,
    title: 'The events are not in the order of their event times',
    action: 'Sort the events by event time, keeping the order of rows for equal times.',
  },
  training_event_unknown: {
    status: 422,
    title: 'A row without a time names an event that is not there',
    action: 'Give the row a time, or the id of an event that was ingested.',
  },
  training_row_timeless: {
    status: 422,
    title: 'A row says neither a time nor an event',
    action: 'Give every row the time as of which its values are wanted, or the id of an event.',
  },
  training_table_too_large: {
    status: 413,
    title: 'The answer would hold more values than one answer may',
    action: 'Ask for the rows in parts, or for a smaller feature set.',
  },
  feature_state_mismatch: {
    status: 409,
    title: 'The saved state belongs to other feature declarations',
    action: 'Rebuild the state by replaying the events, as happens when it is missing.',
  },
  feature_state_damaged: {
    status: 500,
    title: 'The saved state is damaged',
    action: 'Delete the saved state; it is rebuilt by replaying the events.',
  },
  cold_store_mark_unknown: {
    status: 409,
    title: 'The cold store cannot return to where the saved state left it',
    action: 'Rebuild the state by replaying the events, as happens when it is missing.',
  },
  cold_store_damaged: {
    status: 500,
    title: 'What lies in the cold store is not what was put there',
    action:
      'Delete the cold store’s directory, if it is its own; the state is rebuilt by replaying.',
  },
  cold_store_refused: {
    status: 500,
    title: 'The disk refuses what belongs in the cold store',
    action: 'Make room on the disk or correct the directory’s rights, then start again.',
  },
})
