import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconExclamationCircleFilled,
} from '@tabler/icons-react'
import type { Verdict } from '../../src/server/contract/index.ts'

const signs = {
  ok: { Icon: IconCircleCheckFilled, word: 'OK' },
  warning: { Icon: IconAlertTriangleFilled, word: 'Warning' },
  alert: { Icon: IconExclamationCircleFilled, word: 'Alert' },
  'no-data': { Icon: IconCircleDashed, word: 'No data' },
} as const

/** The sign of a verdict; its word is there for those who do not see the sign. */
export function VerdictSign({
  status,
  size = 15,
}: {
  readonly status: Verdict['status']
  readonly size?: number
}) {
  const { Icon, word } = signs[status]
  return (
    <span className={`verdict-sign status-${status}`}>
      <Icon size={size} aria-hidden />
      <span className="visually-hidden">{word}: </span>
    </span>
  )
}

/** A verdict of the server: its sign and its sentence. */
export function VerdictLine({
  verdict,
  size,
}: {
  readonly verdict: Verdict
  readonly size?: number
}) {
  return (
    <span className="verdict-line">
      <VerdictSign status={verdict.status} {...(size === undefined ? {} : { size })} />
      <span>{verdict.sentence}</span>
    </span>
  )
}
