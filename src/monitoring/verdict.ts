/** A judgement in words. Only this side of the door makes one; the page shows it. */
export interface Verdict {
  readonly status: 'ok' | 'warning' | 'alert' | 'no-data'
  readonly sentence: string
}

const severity: Readonly<Record<Verdict['status'], number>> = {
  'no-data': 0,
  ok: 1,
  warning: 2,
  alert: 3,
}

/** The worst of several; `no-data` only where there is nothing else. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>(
    (found, verdict) => (severity[verdict.status] > severity[found.status] ? verdict : found),
    { status: 'no-data', sentence: 'Nothing was measured yet.' },
  )
}
