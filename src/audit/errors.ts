import { defineErrors } from '../lib/errors.ts'

export const auditErrors = defineErrors({
  audit_entry_invalid: {
    status: 400,
    title: 'The change cannot be recorded',
    action: 'Give a reason in a sentence or two, and no more detail than the change needs.',
  },
  audit_entry_not_found: {
    status: 404,
    title: 'The audit log has no such entry',
    action: 'Look the entry up in the list; entries are counted from 0.',
  },
  audit_inconsistent: {
    status: 500,
    title: 'The audit log contradicts what was signed before',
    action:
      'Keep the home directory as it is, export the log, and compare it with an earlier export: ' +
      'entries were changed or removed outside of Assay.',
  },
})
