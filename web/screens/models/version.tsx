/** One version: what its gate said, who approved it, its card, and what it was made from. */
import { IconCircleCheckFilled, IconCircleXFilled } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import type { Version } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { bytes, dateTime, estimateText } from '../../parts/figures.ts'
import {
  Facts,
  Hash,
  LineageLink,
  ObjectLink,
  PageLink,
  Panel,
  ScreenHead,
} from '../../parts/layout.tsx'
import { Answered, Empty } from '../../parts/states.tsx'
import { VerdictLine } from '../../parts/verdict.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { ApprovalButtons, DeployButton, WhyNot } from './acts.tsx'
import { Brought, OfItsRun } from './brought.tsx'
import { DeleteVersionButton, RestoreVersionButton } from './removal.tsx'

export default function VersionScreen() {
  const params = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk(
    'version',
    { params: { model: params.model ?? '', version: Number(params.version) } },
    { every: 5_000 },
  )
  return <Answered answer={answer}>{(data) => <VersionBody version={data} />}</Answered>
}

function VersionBody({ version }: { readonly version: Version }) {
  return (
    <>
      <ScreenHead
        above={
          <>
            <PageLink to="/models">Models</PageLink> ·{' '}
            <PageLink to={`/models/${version.model}`}>{version.model}</PageLink> ·{' '}
            <LineageLink kind="version" id={`${version.model}/${version.version}`} />
          </>
        }
        title={
          <>
            v{version.version} <span className="title-light">{version.name}</span>{' '}
            <span className={`status-mark is-${version.status}`} title={version.statusSentence}>
              {version.deletedAt === null ? version.status : 'deleted'}
            </span>{' '}
            <span className="title-light">
              {version.aliases.map((alias) => `@${alias}`).join(' ')}
            </span>
          </>
        }
        verdict={version.verdict}
        note={noteOf(version)}
        actions={<Acts version={version} />}
      />
      <div className="columns-wide-first">
        <div className="stack">
          {version.brought !== null ? (
            <Brought version={version} brought={version.brought} />
          ) : (
            <>
              <Gate version={version} />
              <Card version={version} />
            </>
          )}
        </div>
        <div className="stack">
          {version.origin === 'brought' ? null : <Approvals version={version} />}
          {version.brought !== null ? (
            <OfItsRun brought={version.brought} />
          ) : (
            <Panel title="Metrics">
              <Facts
                facts={version.metrics.map((metric) => ({
                  name: metric.title,
                  value: estimateText(metric.estimate),
                }))}
              />
            </Panel>
          )}
          <Lineage version={version} />
          {version.tags.length === 0 ? null : (
            <Panel title="Tags">
              <Facts facts={version.tags.map(({ name, value }) => ({ name, value }))} />
            </Panel>
          )}
        </div>
      </div>
    </>
  )
}

function noteOf({ description, deletedAt }: Version): string | undefined {
  if (deletedAt !== null) return 'It was deleted, and can be restored until it is purged.'
  return description === '' ? undefined : description
}

function Acts({ version }: { readonly version: Version }) {
  const { model, version: number, may } = version
  if (version.deletedAt !== null) {
    return (
      <>
        <RestoreVersionButton model={model} version={number} permission={may.restore} />
        <WhyNot acts={[{ title: 'Restore', permission: may.restore }]} />
      </>
    )
  }
  const remove = { title: 'Delete', permission: may.remove }
  if (version.origin === 'brought') {
    return (
      <>
        <DeleteVersionButton version={version} />
        <WhyNot acts={[remove]} />
      </>
    )
  }
  return (
    <>
      <ApprovalButtons version={version} />
      <DeployButton version={version} />
      <DeleteVersionButton version={version} />
      <WhyNot
        said={version.verdict.sentence}
        acts={[
          { title: 'Approve', permission: may.approve },
          { title: 'Refuse', permission: may.refuse },
          { title: 'Deploy', permission: may.deploy },
          remove,
        ]}
      />
    </>
  )
}

function Gate({ version }: { readonly version: Version }) {
  const zone = useTimeZone()
  const { gate } = version
  if (gate === null) {
    return (
      <Panel title="Gate">
        <Empty title="Not asked yet">The gate is asked when the version is registered.</Empty>
      </Panel>
    )
  }
  return (
    <Panel
      title={
        <>
          Gate: <ObjectLink target={gate.gate} />
        </>
      }
      aside={
        <>
          {dateTime(gate.evaluatedAt, zone)} · policy <Hash hash={gate.gateVersion} />
        </>
      }
    >
      <p className={`gate-sentence ${gate.passed ? 'status-ok' : 'status-alert'}`}>
        {gate.passed ? (
          <IconCircleCheckFilled size={18} aria-hidden />
        ) : (
          <IconCircleXFilled size={18} aria-hidden />
        )}
        {gate.sentence}
      </p>
      <ul className="checks">
        {gate.checks.map((check) => (
          <li key={check.name}>
            <span className={check.passed ? 'status-ok' : 'status-alert'}>
              {check.passed ? (
                <IconCircleCheckFilled size={16} aria-hidden />
              ) : (
                <IconCircleXFilled size={16} aria-hidden />
              )}
              <span className="visually-hidden">{check.passed ? 'Passed: ' : 'Failed: '}</span>
            </span>
            <div>
              <b>{check.title}</b>
              <p className="check-figures num">
                {check.actual} <span className="quiet">· required {check.required}</span>
              </p>
              <p className="quiet">{check.message}</p>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Approvals({ version }: { readonly version: Version }) {
  const zone = useTimeZone()
  const { approvals } = version
  return (
    <Panel
      title="Approvals"
      aside={`${approvals.given.filter((one) => one.valid && one.decision === 'approve').length} of ${approvals.required}`}
    >
      <p className="panel-verdict">
        <VerdictLine verdict={approvals.verdict} />
      </p>
      <ol className="story">
        {approvals.given.map((approval) => (
          <li key={approval.by.id + approval.at}>
            <span className="quiet num">{dateTime(approval.at, zone)}</span>
            <span>
              <b>{approval.by.name}</b> {approval.decision === 'approve' ? 'approved' : 'refused'}
              {approval.valid ? '' : ' (void: something it was bound to changed)'}:{' '}
              {approval.reason}
              {approval.note === null ? null : <span className="block quiet">{approval.note}</span>}
            </span>
          </li>
        ))}
      </ol>
      <p className="chart-note">
        Bound to <Hash hash={approvals.binds} /> (version, gate policy and evidence). Trained by{' '}
        {version.trainedBy.name}, registered by {version.registeredBy.name}: neither may approve.
      </p>
    </Panel>
  )
}

function Card({ version }: { readonly version: Version }) {
  const { card } = version
  return (
    <Panel
      title="Model card"
      aside={card.complete ? 'Complete' : 'Incomplete'}
      className={card.watermark === null ? 'card' : 'card card-watermarked'}
    >
      {card.watermark === null ? null : <p className="watermark">{card.watermark}</p>}
      {card.sections.map((section) => (
        <section key={section.title} className="card-section">
          <h3>{section.title}</h3>
          <Facts
            facts={section.entries.map((entry) => ({
              name: entry.name,
              value: entry.missing ? (
                <span className="status-warning">missing</span>
              ) : (
                <LongText text={entry.text} />
              ),
            }))}
          />
        </section>
      ))}
    </Panel>
  )
}

/** A long entry of the card is folded to its first line. */
function LongText({ text }: { readonly text: string }) {
  if (text.length < 400) return text
  const lines = text.split('\n')
  return (
    <details className="long-text">
      <summary>{lines.length > 1 ? `${lines.length} lines` : `${text.slice(0, 120)}…`}</summary>
      {text}
    </details>
  )
}

/** A hash among the words is shown by its beginning, as hashes are. */
function Hashed({ text }: { readonly text: string }) {
  const [, before = '', hash] = /^(.*?)([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === undefined) return text
  return (
    <>
      {before}
      <Hash hash={hash} />
    </>
  )
}

function Lineage({ version }: { readonly version: Version }) {
  const zone = useTimeZone()
  return (
    <Panel
      title="Made from"
      aside={version.bytes === null ? version.format : `${bytes(version.bytes)}, ${version.format}`}
    >
      <Facts
        facts={[
          { name: 'SHA-256', value: <Hash hash={version.hash} /> },
          ...version.lineage.map((one) => ({
            name: one.title,
            value:
              one.target === null ? (
                <Hashed text={one.text} />
              ) : (
                <ObjectLink target={one.target}>{one.text}</ObjectLink>
              ),
          })),
          { name: 'Registered', value: dateTime(version.createdAt, zone) },
        ]}
      />
    </Panel>
  )
}
