import type { ComparedRuns, Estimate } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, intervalText, none, score } from '../../parts/figures.ts'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { scaleOf, Whisker, type Range } from '../../parts/whisker.tsx'
import { PrecisionRecallChart, RocChart } from './curves.tsx'

export default function CompareScreen() {
  const { view } = useView()
  const ids = view.ids ?? ''
  const answer = useAsk('compareRuns', { query: { ids } }, { enabled: ids !== '' })
  if (ids === '') {
    return (
      <Empty title="No runs chosen">
        Mark two or more in <PageLink to="/experiments">Experiments</PageLink>.
      </Empty>
    )
  }
  return <Answered answer={answer}>{(data) => <Compared data={data} />}</Answered>
}

function Compared({ data }: { readonly data: ComparedRuns }) {
  const { view, change } = useView()
  const onlyDifferent = view.params !== 'all'
  const params = data.params.filter((param) => param.differs || !onlyDifferent)
  const head = [
    { title: '' },
    ...data.runs.map((run) => ({
      title: <PageLink to={`/experiments/${run.id}`}>{run.name}</PageLink>,
      right: true,
    })),
  ]
  const curves = (of: ComparedRuns['roc']) =>
    data.runs.map((run, i) => ({ title: run.name, curve: of[i] ?? null }))
  return (
    <>
      <ScreenHead
        above={<PageLink to="/experiments">Experiments</PageLink>}
        title={`${data.runs.length} runs compared`}
        verdict={data.verdict}
      />
      <div className="stack">
        <Panel
          title="Metrics"
          flush
          aside={
            data.pairs.length === 0
              ? 'On each run’s own test rows; the best is bold'
              : 'The best is bold; below, how far the others lie from it, row by row on the same resamples'
          }
        >
          <SmallTable
            label="Metrics"
            head={head}
            rows={data.metrics.map((metric) => ({
              key: metric.name,
              cells: [
                metric.title,
                ...metric.values.map((estimate, i) => (
                  <MetricCell key={data.runs[i]?.id ?? i} data={data} metric={metric} at={i}>
                    {estimate}
                  </MetricCell>
                )),
              ],
            }))}
          />
        </Panel>
        <div className="columns">
          <Panel>
            <PrecisionRecallChart
              curves={curves(data.precisionRecall)}
              positiveShare={data.positiveShare}
            />
          </Panel>
          <Panel>
            <RocChart curves={curves(data.roc)} />
          </Panel>
        </div>
        <Panel
          title="Parameters"
          flush
          aside={
            <button
              type="button"
              className="text-button"
              onClick={() => change({ params: onlyDifferent ? 'all' : undefined })}
            >
              {onlyDifferent ? 'Show those that agree too' : 'Only what differs'}
            </button>
          }
        >
          <SmallTable
            label="Parameters"
            head={[...head]}
            rows={[
              {
                key: 'registered',
                cells: [
                  'Version',
                  ...data.runs.map((run) =>
                    run.registeredAs === null ? (
                      none
                    ) : (
                      <ObjectLink key={run.id} target={run.registeredAs} />
                    ),
                  ),
                ],
              },
              { key: 'learner', cells: ['Learner', ...data.runs.map((run) => run.learner)] },
              ...params.map((param) => ({
                key: param.name,
                cells: [param.name, ...param.values.map((value) => value ?? none)],
              })),
            ]}
          />
        </Panel>
      </div>
    </>
  )
}

/** A figure with its interval drawn, and its paired difference to the best. */
function MetricCell({
  data,
  metric,
  at,
  children: estimate,
}: {
  readonly data: ComparedRuns
  readonly metric: ComparedRuns['metrics'][number]
  readonly at: number
  readonly children: Estimate | null
}) {
  if (estimate === null || estimate.value === null) return none
  const pair = data.pairs.find(({ name }) => name === metric.name)
  const difference = pair?.differences[at] ?? null
  const range = rangeOf(estimate)
  const scale = scaleOf(metric.values.flatMap((one) => rangeOf(one) ?? []))
  return (
    <span className="compared">
      {metric.best === at ? <b>{score(estimate.value)}</b> : score(estimate.value)}
      {range === null ? null : <Whisker range={range} scale={scale} />}
      <span className="quiet">
        {estimate.interval === null ? '' : `${intervalText(estimate.interval)}, `}n{' '}
        {count(estimate.n)}
      </span>
      {difference === null ? null : (
        <span>
          {minus(score(difference.value))}{' '}
          <span className="quiet">({minus(intervalText(difference.interval))})</span>
        </span>
      )}
    </span>
  )
}

function rangeOf(estimate: Estimate | null): Range | null {
  if (estimate?.value == null || estimate.interval === null) return null
  const { low, high } = estimate.interval
  return { value: estimate.value, lower: low, upper: high }
}

/** With the sign that is as wide as a digit. */
const minus = (text: string) => text.replaceAll('-', '−')
