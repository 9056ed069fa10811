import { defineErrors } from '../lib/errors.ts'

export const governanceErrors = defineErrors({
  gate_policy_invalid: {
    status: 422,
    title: 'The gate does not hold together',
    action: 'Correct the gate that the message names in the project and start again.',
  },
  not_in_inventory: {
    status: 404,
    title: 'The model is not in the inventory',
    action: 'Apply the project that registers it, so that owner, purpose and gate are known.',
  },
  evidence_mismatch: {
    status: 409,
    title: 'The evidence is about another version',
    action: 'Collect the evidence again from the version as it is registered.',
  },
  evidence_invalid: {
    status: 422,
    title: 'The evidence holds a figure that is no number',
    action: 'Leave out what could not be measured; the gate says that it is missing.',
  },
  approval_not_awaited: {
    status: 409,
    title: 'The version does not await an approval',
    action: 'Look at where it stands: its gate must hold, and it must not be refused already.',
  },
  approval_self: {
    status: 403,
    title: 'Nobody approves their own work',
    action: 'Ask two other identities, who neither trained nor registered the version.',
  },
  approval_twice: {
    status: 409,
    title: 'One identity approves once',
    action: 'Ask a second, different identity.',
  },
  approval_by_script: {
    status: 403,
    title: 'Scripts do not approve here',
    action: 'Ask people to approve; only an example project accepts a script.',
  },
  approval_outdated: {
    status: 409,
    title: 'What was to be approved has changed meanwhile',
    action: 'Read the version, its gate and its evidence again, then decide.',
  },
  not_approved: {
    status: 409,
    title: 'The version is not approved',
    action: 'See on its page what is missing: a passed gate, or approvals by two others.',
  },
  after_review_missing: {
    status: 404,
    title: 'There is no such act to look at',
    action: 'See the list of what was done at once under Governance.',
  },
  after_review_signed: {
    status: 409,
    title: 'Somebody has looked at it already',
    action: 'Read what they said under Governance.',
  },
  after_review_by_script: {
    status: 403,
    title: 'A script does not say whether an act was right',
    action: 'Ask an approver to look at it.',
  },
  after_review_self: {
    status: 403,
    title: 'Nobody looks at their own act',
    action: 'Ask another approver to look at it.',
  },
  example_flag_fixed: {
    status: 409,
    title: 'A real project cannot become an example',
    action: 'Choose another model name for the example.',
  },
})
