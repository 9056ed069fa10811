import { useParams } from '@tanstack/react-router'
import type { Feature } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { ComparedBars, LineChart } from '../../parts/charts.tsx'
import { count, none, shortDateTime, tick, withUnit } from '../../parts/figures.ts'
import { Facts, Hash, ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export default function FeatureScreen() {
  const { set = '', feature = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('feature', { params: { set, feature } })
  return <Answered answer={answer}>{(data) => <FeatureBody feature={data} />}</Answered>
}

function FeatureBody({ feature }: { readonly feature: Feature }) {
  return (
    <>
      <ScreenHead
        above={
          <>
            <PageLink to="/features">Features</PageLink> ·{' '}
            <PageLink to={`/features?set=${feature.set}`}>{feature.set}</PageLink>
          </>
        }
        title={<span className="long-name">{feature.name}</span>}
        verdict={feature.verdict}
        note={feature.words}
      />
      <div className="columns">
        <Panel
          title="Declaration"
          aside={
            <>
              set version <Hash hash={feature.setVersion} />
            </>
          }
        >
          <pre className="declaration">{readable(feature.expression)}</pre>
          <Facts
            facts={[
              { name: 'Entity', value: feature.entity ?? 'the event itself' },
              { name: 'Window', value: feature.window ?? 'none' },
              { name: 'When empty', value: feature.onMissing },
              feature.reasonTemplate === null
                ? null
                : { name: 'As a reason', value: feature.reasonTemplate },
              feature.file === null ? null : { name: 'File', value: <code>{feature.file}</code> },
              {
                name: 'Lineage',
                value: (
                  <span className="lineage">
                    {feature.lineage.map((target) => (
                      <ObjectLink key={`${target.kind}/${target.id}`} target={target} />
                    ))}
                  </span>
                ),
              },
            ]}
          />
        </Panel>
        <Panel>
          {feature.distribution === null ? (
            <Empty title="Not computed yet">
              Its distribution stands here after the first training.
            </Empty>
          ) : (
            <ComparedBars
              title="Training and live"
              distribution={feature.distribution}
              xTitle={feature.unit ?? 'Value'}
            />
          )}
          <Stats feature={feature} />
        </Panel>
      </div>
      <OverTime feature={feature} />
    </>
  )
}

/** A compiled declaration is canonical JSON, which nobody reads in one line. */
function readable(expression: string): string {
  try {
    return JSON.stringify(JSON.parse(expression), null, 2)
  } catch {
    return expression
  }
}

function Stats({ feature }: { readonly feature: Feature }) {
  const { training, live } = feature
  if (training === null && live === null) return null
  const write = (value: number | null | undefined) => withUnit(value ?? null, feature.unit)
  const range = (one: typeof training) =>
    one?.min == null ? none : `${write(one.min)} to ${write(one.max)}`
  const rows = [
    ['Rows', count(training?.n), count(live?.n)],
    ['Missing', count(training?.missing), count(live?.missing)],
    ['Mean', write(training?.mean), write(live?.mean)],
    ['Std', write(training?.std), write(live?.std)],
    ['Median', write(training?.p50), write(live?.p50)],
    ['99 % are below', write(training?.p99), write(live?.p99)],
    ['Range', range(training), range(live)],
  ]
  return (
    <SmallTable
      label="Statistics"
      head={[{ title: '' }, { title: 'Training', right: true }, { title: 'Live', right: true }]}
      rows={rows.map((cells) => ({ key: cells[0] ?? '', cells }))}
    />
  )
}

function OverTime({ feature }: { readonly feature: Feature }) {
  const zone = useTimeZone()
  const { overTime, psiThreshold } = feature
  if (overTime.length < 2) return null
  const hasMeans = overTime.some((point) => point.mean !== null)
  const x = overTime.map((point) => Date.parse(point.at) / 1000)
  const writeX = (seconds: number) => shortDateTime(new Date(seconds * 1000).toISOString(), zone)
  return (
    <div className="columns below">
      {hasMeans ? (
        <Panel>
          <LineChart
            title="Mean over time"
            x={x}
            time={zone}
            xTitle={`Event time, ${zone}`}
            yTitle={feature.unit ?? 'Mean'}
            writeX={writeX}
            writeY={(value) => withUnit(value, feature.unit)}
            series={[{ title: 'Live mean', values: overTime.map((point) => point.mean) }]}
          />
        </Panel>
      ) : null}
      <Panel>
        <LineChart
          title="PSI over time"
          x={x}
          time={zone}
          xTitle={`Event time, ${zone}`}
          yTitle="PSI"
          writeX={writeX}
          writeY={(value) => (value === null ? none : value.toFixed(3))}
          writeTick={tick}
          series={[
            { title: 'PSI against training', values: overTime.map((point) => point.psi) },
            ...(psiThreshold === null
              ? []
              : [{ title: 'Threshold', values: overTime.map(() => psiThreshold), dashed: true }]),
          ]}
        />
      </Panel>
    </div>
  )
}
