import { defineErrors } from '../../lib/errors.ts'

export const commandErrors = defineErrors({
  option_invalid: {
    status: 422,
    title: 'An option or argument of the command is wrong',
    action: 'Correct it as the message says; the command with --help shows its options.',
  },
  home_missing: {
    status: 404,
    title: 'There is no home directory there',
    action: 'Name one with --home, or make one with `assay start` or `assay run`.',
  },
  directory_not_empty: {
    status: 409,
    title: 'The directory holds files already',
    action: 'Name a directory that is not there yet, or an empty one.',
  },
  command_stopped: {
    status: 503,
    title: 'The command was stopped before it had ended',
    action: 'Start it again; nothing is half done.',
  },
  output_unwritable: {
    status: 500,
    title: 'The output cannot be written',
    action: 'Name a file in a folder that is there, that this user may write and that has room.',
  },
  input_unreadable: {
    status: 404,
    title: 'The input cannot be read',
    action: 'Check the path and that this user may read the file.',
  },
  server_unreachable: {
    status: 503,
    title: 'The server does not answer',
    action: 'Check the address, and that the server there is running.',
  },
  policy_not_live: {
    status: 409,
    title: 'No decision policy is live',
    action:
      'Wait for the pipeline to end; then two people approve a version on the page, under Models, and an administrator deploys it.',
  },
  version_missing: {
    status: 409,
    title: 'No version of the model can score',
    action: 'Train and register one with `assay run`, or name another home with --home.',
  },
  version_not_adopted: {
    status: 409,
    title: 'The version cannot become one of the project',
    action: 'Name a version that a client logged as data; the message says what this one is.',
  },
  version_not_scored: {
    status: 409,
    title: 'The version cannot score a table',
    action: 'Do as the message says; `assay models show` tells what the version is.',
  },
  model_not_served: {
    status: 409,
    title: 'The model cannot be served',
    action: 'Do as the message says; the file or version must be one that Assay reads as data.',
  },
  version_outdated: {
    status: 409,
    title: 'The project has changed since the version was trained',
    action:
      'Run `assay run` to train a version on what is declared now, or score with the project as it was.',
  },
  batch_stopped: {
    status: 507,
    title: 'The output could not be written to its end',
    action:
      'Make room, or let this user write there; the same command then goes on where it stopped.',
  },
  outside_unanswered: {
    status: 503,
    title: 'The model that is computed elsewhere does not answer',
    action:
      'See to it that it runs; into a file the same command then goes on behind the rows that are done.',
  },
  input_changed: {
    status: 409,
    title: 'The input changed while it was read',
    action: 'Wait until it is written, then run the command again with `--fresh`.',
  },
  no_row_scored: {
    status: 422,
    title: 'Not one row could be scored',
    action: 'Correct the rows as their reasons say, or name another model.',
  },
})
