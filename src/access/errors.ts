import { defineErrors } from '../lib/errors.ts'

export const accessErrors = defineErrors({
  unauthenticated: {
    status: 401,
    title: 'Nobody is signed in',
    action: 'Send a key as `Authorization: Bearer ak_…`, or sign in with the link of `assay open`.',
  },
  forbidden: {
    status: 403,
    title: 'This identity may not do that',
    action: 'Ask an administrator for a role that may, or sign in as someone else.',
  },
  sign_in_link_invalid: {
    status: 401,
    title: 'The sign-in link does not work any more',
    action: 'Links work once and for ten minutes: make another with `assay open`.',
  },
  identity_not_found: {
    status: 404,
    title: 'There is no such identity',
    action: 'List the identities with `assay keys list`.',
  },
  identity_invalid: {
    status: 422,
    title: 'The identity cannot be made',
    action: 'Give a name of one line of 1 to 200 characters, a kind and known roles.',
  },
  key_not_found: {
    status: 404,
    title: 'There is no such key',
    action: 'List the keys with `assay keys list`.',
  },
  last_administrator: {
    status: 409,
    title: 'The last administrator would lose access',
    action: 'Give another identity the administrator role and a key first.',
  },
  reason_missing: {
    status: 422,
    title: 'A change needs a reason',
    action: 'Say in a sentence why the change is made; it goes into the audit log.',
  },
})
