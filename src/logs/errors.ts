import { defineErrors } from '../lib/errors.ts'

export const fail = defineErrors({
  log_format_invalid: {
    status: 400,
    title: 'The format of the log’s header cannot be read',
    action:
      'Name the fields in angle brackets, the message as <Content>: "<Date> <Time> <Level>: <Content>".',
  },
  log_stream_invalid: {
    status: 400,
    title: 'The log stream cannot be declared so',
    action: 'Change the member that is named.',
  },
  log_stream_unknown: {
    status: 404,
    title: 'There is no such log stream',
    action: 'Name one that the project declares with logStream(…).',
  },
  log_streams_starting: {
    status: 503,
    title: 'The log streams are not read yet',
    action:
      'Ask again after the time that Retry-After says; where it stays so, mend what the start says of the project.',
  },
  log_stream_stopped: {
    status: 503,
    title: 'The log stream is not read',
    action: 'Mend what the message names, and start the server again.',
  },
  log_stream_reads: {
    status: 409,
    title: 'The log stream takes no lines',
    action: 'Declare it with `from: { sent: true }` to send lines to it.',
  },
  log_stream_behind: {
    status: 503,
    title: 'The log stream is read more slowly than lines come',
    action: 'Send the lines again after the time that Retry-After says.',
  },
  log_line_invalid: {
    status: 400,
    title: 'A line cannot be taken',
    action: 'Send each line by itself, without line ends or zeros in it.',
  },
  log_source_missing: {
    status: 404,
    title: 'The log cannot be read',
    action: 'Check the path and the rights; - reads standard input.',
  },
  log_place_invalid: {
    status: 400,
    title: 'The place in the log is none of this source',
    action: 'Go on with the state that was kept for this log, or begin anew with another state.',
  },
  log_format_unknown: {
    status: 400,
    title: 'The format of the log’s lines is not recognised',
    action:
      'Declare the header with --format, such as "<Date> <Time> <Level> <Component>: <Content>".',
  },
  log_templates_damaged: {
    status: 400,
    title: 'The saved log templates cannot be read',
    action: 'Bring the file back from a copy, or remove it and parse the logs anew.',
  },
  log_settings_invalid: {
    status: 400,
    title: 'The settings of the log parser cannot be read',
    action:
      'Write JSON with regex (patterns), st (0 to 1) and depth (3 or more), alone or by system; --system says whose.',
  },
  log_field_unknown: {
    status: 400,
    title: 'The log has no such field',
    action: 'Name fields that the log has, with --by and --visitor; several are parted by commas.',
  },
  visitors_options_invalid: {
    status: 400,
    title: 'Visitors cannot be counted so',
    action: 'Change the option that is named; assay logs visitors --help lists them.',
  },
  visitors_state_other: {
    status: 409,
    title: 'The kept state counts visitors in another way',
    action: 'Ask with the options it was begun with, or begin anew with another file.',
  },
  visitors_state_unreadable: {
    status: 400,
    title: 'The file for the state of visitors cannot be opened',
    action: 'Name a file with --state, one that is not there yet or that may be read.',
  },
  visitors_state_damaged: {
    status: 500,
    title: 'The kept state of visitors cannot be read',
    action: 'Remove the file and count again from the log, or restore the file from a backup.',
  },
})
