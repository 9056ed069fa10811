/** What can be wrong with sequences and streams that are searched for what is new. */
import { defineErrors } from '../lib/errors.ts'

export const fail = defineErrors({
  sessions_unusable: {
    status: 422,
    title: 'The sessions cannot be learnt from or judged',
    action: 'Give one session a line: event ids in their order, parted by spaces.',
  },
  sequence_options_invalid: {
    status: 422,
    title: 'A setting of the sequence filter is wrong',
    action: 'Correct the setting that the message names; docs/guides/novelty.md lists them.',
  },
  sequence_version_unknown: {
    status: 404,
    title: 'There is no such version of the sequence filter',
    action: 'Name one of the versions that are kept.',
  },
  sequence_change_unexplained: {
    status: 422,
    title: 'A change of what is known needs an actor and a reason',
    action: 'Say who confirms it, and why.',
  },
  sequence_state_damaged: {
    status: 500,
    title: 'A saved sequence filter cannot be read',
    action: 'Restore an earlier version of it, or learn it again from the confirmed sessions.',
  },
  novelty_settings_invalid: {
    status: 422,
    title: 'A setting of the pattern memory is wrong',
    action: 'Correct the setting that the message names; docs/guides/novelty.md lists them.',
  },
  novelty_training_too_small: {
    status: 422,
    title: 'There is too little to learn what is normal from',
    action: 'Give more rows of normal activity: a longer first part, or a file of their own.',
  },
  novelty_state_damaged: {
    status: 500,
    title: 'The saved memory of patterns cannot be read',
    action: 'Return to an earlier version of it, or begin anew in another directory.',
  },
  novelty_version_not_found: {
    status: 404,
    title: 'The memory of patterns has no such version',
    action: 'List its versions and name one of them.',
  },
  novelty_pattern_not_found: {
    status: 404,
    title: 'The memory of patterns has no such pattern',
    action: 'List its patterns and name one of them; old ones may have been forgotten.',
  },
  novelty_stream_unusable: {
    status: 422,
    title: 'The stream cannot be read as events',
    action: 'Name columns that its header has, with --entity, --time, --party and --label.',
  },
})
