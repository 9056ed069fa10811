/** A challenger beside its champion: every figure with its n and interval, and the test of each difference. */
import type { ChallengerView, Compared, Rate } from '../../../src/server/contract/index.ts'
import { count, none, percent, percentRange, statistic } from '../../parts/figures.ts'
import { ExportLinks } from '../../parts/filters.tsx'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'

export function ComparisonPanel({
  policy,
  challenger,
}: {
  readonly policy: string
  readonly challenger: ChallengerView
}) {
  const { comparison, guards, name } = challenger
  const { champion, challenger: ours } = comparison
  const rates = [
    ['Allowed', champion.allowed, ours.allowed, comparison.allowed],
    ['Fraud caught (recall)', champion.recall, ours.recall, comparison.recall],
    ['Genuine disturbed', champion.disturbed, ours.disturbed, comparison.disturbed],
    ['Precision', champion.precision, ours.precision, null],
  ] as const
  const title = `${name} against the champion`
  return (
    <Panel
      title={title}
      aside={<ExportLinks name="comparisons" query={{ policy, name }} of={title} />}
    >
      <div>
        <VerdictLine verdict={comparison.verdict} />
        <p className="quiet">{comparison.note}</p>
      </div>
      <SmallTable
        label={title}
        pinned
        head={[
          { title: 'Figure' },
          { title: 'Champion', right: true },
          { title: name, right: true },
          { title: 'Difference', right: true },
          { title: 'Sure? (at any look)' },
        ]}
        rows={[
          {
            key: 'n',
            cells: ['Answers', count(champion.n), count(ours.n), '', ''],
          },
          ...rates.map(([figure, theirs, its, compared]) => ({
            key: figure,
            cells: [
              figure,
              <RateCell key="champion" rate={theirs} />,
              <RateCell key="challenger" rate={its} />,
              <Difference key="difference" compared={compared} />,
              testText(compared),
            ],
          })),
          {
            key: 'errors',
            cells: [
              'Not answered',
              '',
              <RateCell key="errors" rate={comparison.errors} />,
              '',
              `guard ${percent(guards.errorRateMax)}`,
            ],
          },
          {
            key: 'latency',
            cells: [
              'Latency, 99th percentile',
              milliseconds(champion.latencyMsP99),
              milliseconds(ours.latencyMsP99),
              '',
              `guard ${guards.latencyMsP99Max} ms`,
            ],
          },
          {
            key: 'psi',
            cells: [
              'Drift of scores (PSI)',
              '',
              statistic(comparison.psi),
              '',
              `guard ${guards.psiMax}`,
            ],
          },
          {
            key: 'distance',
            cells: [
              'Distance of scores',
              '',
              statistic(comparison.scoreDistance),
              '',
              `guard ${guards.scoreDistanceMax}`,
            ],
          },
          ...(comparison.agreed === null
            ? []
            : [
                {
                  key: 'agreed',
                  cells: [
                    'Same outcome',
                    '',
                    <RateCell key="agreed" rate={comparison.agreed} />,
                    '',
                    '',
                  ],
                },
              ]),
        ]}
      />
    </Panel>
  )
}

function RateCell({ rate }: { readonly rate: Rate }) {
  if (rate.n === 0) return <span className="quiet">no data</span>
  return (
    <span>
      {percent(rate.value)}
      <br />
      <span className="quiet">
        {rate.interval === null ? '' : `${percentRange(rate.interval.low, rate.interval.high)}, `}n{' '}
        {count(rate.n)}
      </span>
    </span>
  )
}

function Difference({ compared }: { readonly compared: Compared | null }) {
  if (compared === null) return none
  return (
    <span>
      {points(compared.difference)}
      <br />
      <span className="quiet">
        {points(compared.interval.low)} to {points(compared.interval.high)}
      </span>
    </span>
  )
}

function points(difference: number): string {
  const sign = difference > 0 ? '+' : difference < 0 ? '−' : ''
  return `${sign}${Math.abs(difference * 100).toFixed(2)} pp`
}

function testText(compared: Compared | null): string {
  const test = compared?.test
  if (!test) return none
  const sure = test.pValue <= 0.05 ? 'yes' : 'not yet'
  return `${sure}: p ${test.pValue < 0.001 ? '< 0.001' : test.pValue.toFixed(3)} over ${count(test.discordant)} that differ`
}

function milliseconds(value: number | null): string {
  return value === null ? none : `${value.toFixed(2)} ms`
}
