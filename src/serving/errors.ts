import { defineErrors } from '../lib/errors.ts'

export const servingErrors = defineErrors({
  deployment_policy_unapproved: {
    status: 409,
    title: 'The decision policy is not the one that was approved',
    action: 'Run the gate again with this policy as evidence and have it approved.',
  },
  deployment_unchanged: {
    status: 409,
    title: 'That is live already',
    action: 'Nothing needs to be done.',
  },
  rollback_impossible: {
    status: 409,
    title: 'There is nothing to roll back to',
    action: 'Choose a version that answered this policy before, or deploy an approved one.',
  },
})
