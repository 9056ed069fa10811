import { defineErrors } from '../lib/errors.ts'

export const pipelineErrors = defineErrors({
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
  learning_full: {
    status: 429,
    title: 'Too much waits to be learnt',
    action: 'Wait until some of it is done, or stop what is not needed any more.',
  },
})
