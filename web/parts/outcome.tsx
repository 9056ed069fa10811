import { IconArrowBackUp, IconBan, IconCheck, IconEye, IconMinus } from '@tabler/icons-react'
import type { LabelValue, Outcome } from '../../src/server/contract/index.ts'

const outcomeMarks = {
  allow: { Icon: IconCheck, word: 'Allow' },
  review: { Icon: IconEye, word: 'Review' },
  decline: { Icon: IconBan, word: 'Decline' },
} as const

/** What the customer experienced: a sign, a word and a colour, never colour alone. */
export function OutcomeMark({ outcome }: { readonly outcome: Outcome }) {
  const { Icon, word } = outcomeMarks[outcome]
  return (
    <span className={`mark mark-${outcome}`}>
      <Icon size={13} stroke={2.2} aria-hidden />
      {word}
    </span>
  )
}

const labelMarks = {
  fraud: { Icon: IconBan, word: 'Fraud' },
  genuine: { Icon: IconCheck, word: 'Genuine' },
  unsure: { Icon: IconMinus, word: 'Can’t tell' },
  undone: { Icon: IconArrowBackUp, word: 'Undone' },
} as const

export function LabelMark({ label }: { readonly label: LabelValue | 'unsure' | null }) {
  if (label === null) return <span className="quiet">not known yet</span>
  const { Icon, word } = labelMarks[label]
  return (
    <span className={`mark mark-label-${label}`}>
      <Icon size={13} stroke={2.2} aria-hidden />
      {word}
    </span>
  )
}
