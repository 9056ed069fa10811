import { defineErrors } from '../lib/errors.ts'

export const fail = defineErrors({
  log_format_invalid: {
    status: 400,
    title: 'The format of the log’s header cannot be read',
    action:
      'Name the fields in angle brackets, the message as <Content>: "<Date> <Time> <Level>: <Content>".',
  },
})
