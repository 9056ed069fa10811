import type { ComparedRuns } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { count, none, score } from '../../parts/figures.ts'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
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
        <Panel title="Metrics" flush aside="On each run’s own test rows; the best is bold">
          <SmallTable
            label="Metrics"
            head={head}
            rows={data.metrics.map((metric) => ({
              key: metric.name,
              cells: [
                metric.title,
                ...metric.values.map((estimate, i) =>
                  estimate === null ? (
                    none
                  ) : (
                    <span key={data.runs[i]?.id ?? i}>
                      {metric.best === i ? <b>{score(estimate.value)}</b> : score(estimate.value)}
                      <br />
                      <span className="quiet">
                        {estimate.interval === null
                          ? ''
                          : `${score(estimate.interval.low)} to ${score(estimate.interval.high)}, `}
                        n {count(estimate.n)}
                      </span>
                    </span>
                  ),
                ),
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
