import { defineErrors } from '../../lib/errors.ts'

export const webhookErrors = defineErrors({
  webhook_not_found: {
    status: 404,
    title: 'There is no such webhook',
    action: 'List the webhooks and take an id from there.',
  },
  webhook_invalid: {
    status: 422,
    title: 'The webhook cannot be kept',
    action:
      'Give a short name, at least one event, and an https address on the public internet; see docs/concepts/registry.md for private networks.',
  },
  webhooks_full: {
    status: 409,
    title: 'There are as many webhooks as are kept',
    action: 'Delete one that is not used any more.',
  },
})
