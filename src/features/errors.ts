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
  feature_event_too_late: {
    status: 422,
    title: 'The event is too old for its features to be exact',
    action: 'Send events within the source’s declared lateness, or load older ones as history.',
  },
  feature_history_unordered: {
    status: 422,
    title: 'The events are not in the order of their event times',
    action: 'Sort the events by event time, keeping the order of rows for equal times.',
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
})
