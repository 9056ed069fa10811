import { defineErrors } from '../../lib/errors.ts'

export const serverErrors = defineErrors({
  explanation_missing: {
    status: 409,
    title: 'There is no score to explain',
    action: 'Read the path of the decision: it says who did not answer, and what decided instead.',
  },
  allow_changed: {
    status: 409,
    title: 'What allowing it means has changed since it was shown',
    action: 'Look at it again, then confirm what you see.',
  },
  disk_unreadable: {
    status: 503,
    title: 'The disk cannot be measured',
    action: 'Try again; if it stays, check the folders of the home and who may read them.',
  },
  not_signed_in: {
    status: 401,
    title: 'You are not signed in',
    action: 'Sign in on the page, or send a key as `Authorization: Bearer ak_…`.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing at this address',
    action: 'Look the address up in /api/v1/openapi.json.',
  },
  request_invalid: {
    status: 422,
    title: 'The request does not have the right form',
    action: 'Correct the field that the message names.',
  },
  origin_refused: {
    status: 403,
    title: 'The request comes from another site',
    action: 'Use the page of this server, or a key instead of the session cookie.',
  },
  streams_full: {
    status: 503,
    title: 'Too many watch already',
    action: 'Close a page that watches, or try again in a few seconds.',
  },
  export_too_large: {
    status: 413,
    title: 'The list is too long for one file',
    action: 'Ask for it as CSV, or in parts: by time range or with another filter.',
  },
})
