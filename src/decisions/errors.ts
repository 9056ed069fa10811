import { defineErrors } from '../lib/errors.ts'

export const decisionErrors = defineErrors({
  policy_invalid: {
    status: 422,
    title: 'The decision policy does not hold together',
    action: 'Correct the part of the policy that the message names.',
  },
  rule_invalid: {
    status: 422,
    title: 'A rule cannot be used',
    action: 'Correct the rule; the message names it, the place in it and the names it may use.',
  },
  rule_unknown: {
    status: 404,
    title: 'The policy has no such rule',
    action: 'Use the name of a rule of the policy as it is deployed.',
  },
  list_unknown: {
    status: 404,
    title: 'There is no such list here',
    action: 'Use the name of a list that a deployed policy declares; the message names them.',
  },
  action_not_found: {
    status: 404,
    title: 'There is no such action',
    action: 'Use the names that `assay actions list` shows.',
  },
  message_not_found: {
    status: 404,
    title: 'There is no such message among those set aside',
    action: 'Use a sequence that the list of set-aside messages shows.',
  },
  message_sent: {
    status: 409,
    title: 'The message was sent again already',
    action:
      'Look among the decisions for its answer; a correction is an event with an id of its own.',
  },
  message_refused: {
    status: 422,
    title: 'The message was refused again',
    action: 'Mend what the message names, and send it with the mended text.',
  },
  list_full: {
    status: 409,
    title: 'The list is full',
    action: 'Remove what has expired, or write a rule for what the values have in common.',
  },
  list_values_invalid: {
    status: 422,
    title: 'The values cannot be put on a list',
    action: 'Send 1 to 10,000 values of 1 to 256 characters each, as the column has them.',
  },
  change_waits: {
    status: 409,
    title: 'This is proposed already',
    action: 'Have another person confirm what waits, or withdraw it first.',
  },
  rule_unchanged: {
    status: 409,
    title: 'The rule is in that state already',
    action: 'Nothing needs to be done; load the page again to see who did it.',
  },
  change_failed: {
    status: 409,
    title: 'What decides refused the change',
    action: 'Read why, and order it again when that is mended.',
  },
  change_not_found: {
    status: 404,
    title: 'Nothing waits there for a second person',
    action: 'Load the page again: it was confirmed or withdrawn meanwhile.',
  },
  change_by_script: {
    status: 403,
    title: 'Two people turn a rule on, and a script is none',
    action: 'Ask a person to propose it, and another one to confirm.',
  },
  change_needs_another: {
    status: 409,
    title: 'Another person has to confirm this',
    action: 'Ask somebody else who may change policies.',
  },
  draft_not_found: {
    status: 404,
    title: 'There is no such draft',
    action: 'Choose one from the page of its policy.',
  },
  draft_state: {
    status: 409,
    title: 'The draft does not allow this now',
    action: 'Load the draft again to see what happened to it.',
  },
  draft_outdated: {
    status: 409,
    title: 'The draft, its evidence or what is live changed meanwhile',
    action: 'Load the draft again; save it once more where what is live has changed.',
  },
  draft_verdict: {
    status: 403,
    title: 'This person may not decide about the draft',
    action: 'Ask an approver who did not write the draft and has not spoken yet.',
  },
  draft_unchanged: {
    status: 422,
    title: 'The draft changes nothing',
    action: 'Change a rule, a list, a typology, a threshold or the fallback first.',
  },
  draft_tests_failed: {
    status: 422,
    title: 'A test of the draft does not hold',
    action: 'Correct the rules, or the test that asks for something else.',
  },
  policy_kept: {
    status: 409,
    title: 'The policy that people approved does not fit what the project declares now',
    action: 'Draft the policy anew over the new features, and have it approved.',
  },
  deployment_invalid: {
    status: 422,
    title: 'The deployment does not hold together',
    action: 'Deploy a document whose policy, features and model were made for one another.',
  },
  deployment_not_found: {
    status: 404,
    title: 'There is no such deployment',
    action: 'Name the hash of a deployment document that was published.',
  },
  state_missing: {
    status: 409,
    title: 'The live state lacks features that the deployment needs',
    action: 'Load a base checkpoint made with these feature sets, then deploy again.',
  },
  checkpoint_invalid: {
    status: 422,
    title: 'The checkpoint cannot be used',
    action:
      'If it lies in the home directory, put it back from a copy and start again; else make it again from the data snapshot.',
  },
  base_lost: {
    status: 500,
    title: 'The state that history ended in is lost',
    action:
      'Stop the server and run `assay repair`, which makes it again from the data that it was made of; or put the file back from a backup.',
  },
  index_damaged: {
    status: 500,
    title: 'The index of what was decided is damaged',
    action: 'Nothing: the process starts again and makes it anew from the journal.',
  },
  namespace_not_found: {
    status: 404,
    title: 'There is no such namespace',
    action: 'Use "live", or the name of a replay that was started.',
  },
  namespace_invalid: {
    status: 422,
    title: 'The name cannot be used for a namespace',
    action: 'Use 1 to 40 lower-case letters, digits and dashes.',
  },
  policy_not_found: {
    status: 404,
    title: 'There is no such decision policy here',
    action: 'Use the name of a deployed policy; the message lists them.',
  },
  source_not_found: {
    status: 404,
    title: 'There is no such source here',
    action: 'Use the name of a source or of labels that a deployed policy declares.',
  },
  decision_not_found: {
    status: 404,
    title: 'There is no such decision',
    action: 'Check the policy and the event id.',
  },
  decision_expired: {
    status: 410,
    title: 'The record of this decision is no longer kept',
    action:
      'It is not decided again. If an export was made before, the audit log names it under `decisions.records-removed`.',
  },
  decision_hold_invalid: {
    status: 422,
    title: 'The hold cannot be changed so',
    action: 'Name a hold that stands to release it, and a new name and a period to place one.',
  },
  removal_invalid: {
    status: 422,
    title: 'These records cannot be removed',
    action:
      'Name a time at least a day ago; `--dry-run` says what could go and what holds the rest.',
  },
  event_invalid: {
    status: 422,
    title: 'The event does not keep its contract',
    action: 'Correct the columns listed under "failures" and send the event again.',
  },
  event_in_future: {
    status: 422,
    title: 'The event lies in the future',
    action: 'Check the sender’s clock and time zone, then send the event again.',
  },
  event_too_late: {
    status: 422,
    title: 'The event came too late to count',
    action:
      'Ingest it into the dataset of its source, so that history has it, or declare a longer lateness of the source.',
  },
  event_id_conflict: {
    status: 409,
    title: 'This event id already stands for another event',
    action: 'Send the same body again to get the first answer, or use a new event id.',
  },
  label_invalid: {
    status: 422,
    title: 'The label does not keep its contract',
    action: 'Correct the fields listed under "failures" and send the label again.',
  },
  too_many_in_flight: {
    status: 429,
    title: 'More decisions are asked for than can be answered now',
    action: 'Send the event again after the time in Retry-After.',
  },
  draining: {
    status: 503,
    title: 'The service is stopping',
    action: 'Send the event again after the time in Retry-After.',
  },
  decisions_paused: {
    status: 503,
    title: 'Nothing can be recorded at the moment',
    action:
      'Make room on the disk of the home directory; send the event again after the time in Retry-After. Nothing of it was recorded.',
  },
  entity_invalid: {
    status: 422,
    title: 'The entity cannot be looked up',
    action: 'Give the columns of the source that the message names, as they stand in its contract.',
  },
  feature_set_not_live: {
    status: 404,
    title: 'Live state does not compute this feature set',
    action: 'Deploy a policy that uses it, or ask for its history.',
  },
  not_ready: {
    status: 503,
    title: 'The service is not ready yet',
    action: 'Send the event again after the time in Retry-After.',
  },
  record_unknown: {
    status: 500,
    title: 'The journal holds a record that this version does not know',
    action: 'Start the version that wrote it, or a later one.',
  },
  batch_too_large: {
    status: 413,
    title: 'There are too many rows in one request',
    action: 'Send at most 10,000 rows at a time.',
  },
  backtest_features_missing: {
    status: 409,
    title: 'What was recorded then lacks features that the draft needs',
    action: 'Back-test over history instead (`--over history`), which works features out anew.',
  },
  case_not_found: {
    status: 404,
    title: 'There is no such case',
    action: 'Open the review queue and choose a case from it.',
  },
  case_second_person: {
    status: 409,
    title: 'A second person must say yes to this verdict',
    action: 'Ask somebody else who works on cases to confirm or turn down what you proposed.',
  },
  case_state: {
    status: 409,
    title: 'The case does not allow this now',
    action: 'Load the case again to see what happened to it; correct a closed case with a reason.',
  },
})
